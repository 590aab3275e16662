import { expect, test } from 'vitest';
import type { ListenerDown, ListenerUp } from '../../../src/observe/events.ts';
import { ListenerTally } from '../../../src/runtime/listener-tally.ts';

const up = (listener: string): ListenerUp => ({ kind: 'listener.up', service: 'tftp', listener });
const down = (listener: string, error?: string): ListenerDown => {
  return { kind: 'listener.down', service: 'tftp', listener, ...(error !== undefined && { error }) };
};

test('a listener is up with the first worker and down with the last', () => {
  const tally = new ListenerTally();
  const sizes = [0, 1, 2].map((worker) => tally.up(worker, up('192.0.2.1:69')).size);
  expect(sizes).toEqual([1, 2, 3]);
  const [listening] = tally.listening();
  expect(listening).toEqual({ service: 'tftp', endpoint: { address: '192.0.2.1', port: 69 } });
  expect(tally.listening()).toHaveLength(1);
  expect([2, 0, 1].map((worker) => tally.down(worker, down('192.0.2.1:69')))).toEqual([false, false, true]);
  expect(tally.listening()).toEqual([]);
});

test('an IPv6 address is told as it was given, with its zone', () => {
  const tally = new ListenerTally();
  const { endpoint } = tally.up(0, up('[fe80::1%eth0]:69'));
  expect(endpoint).toEqual({ address: 'fe80::1%eth0', port: 69 });
});

test('one that nobody can have is told once, by whichever worker, until it comes up', () => {
  const tally = new ListenerTally();
  const failed = down('192.0.2.1:69', 'permission denied');
  expect([0, 1, 2].map((worker) => tally.down(worker, failed))).toEqual([true, false, false]);
  expect(tally.listening()).toEqual([]);
  expect(tally.up(1, up('192.0.2.1:69')).size).toBe(1);
  expect(tally.down(0, failed)).toBe(false);
  expect(tally.down(1, down('192.0.2.1:69'))).toBe(true);
  expect(tally.down(1, failed)).toBe(true);
});

test('a worker that is gone takes down what nobody else has', () => {
  const tally = new ListenerTally();
  for (const worker of [0, 1]) tally.up(worker, up('192.0.2.1:69'));
  tally.up(0, up('192.0.2.2:69'));
  expect(tally.lose(0, 'it has died')).toEqual([down('192.0.2.2:69', 'it has died')]);
  expect(tally.listening().map(({ endpoint }) => endpoint.address)).toEqual(['192.0.2.1']);
  expect(tally.lose(0, 'it has died')).toEqual([]);
});

test('services with the same address are told apart', () => {
  const tally = new ListenerTally();
  tally.up(0, up('192.0.2.1:69'));
  tally.up(0, { ...up('192.0.2.1:69'), service: 'other' });
  expect(tally.down(0, down('192.0.2.1:69'))).toBe(true);
  expect(tally.listening().map(({ service }) => service)).toEqual(['other']);
});

test('one that stands for all addresses is up while any of them is', () => {
  const tally = new ListenerTally();
  tally.up(0, up('192.0.2.1:69'));
  const isUp = (address: string, port = 69): boolean => tally.isUp('tftp', { address, port });
  expect([isUp('0.0.0.0'), isUp('192.0.2.1'), isUp('192.0.2.2'), isUp('0.0.0.0', 70)]).toEqual([
    true,
    true,
    false,
    false,
  ]);
  expect(tally.isUp('other', { address: '192.0.2.1', port: 69 })).toBe(false);
  tally.down(0, down('192.0.2.1:69'));
  expect(isUp('0.0.0.0')).toBe(false);
});
