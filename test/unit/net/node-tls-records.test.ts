/** Records that no library sends, from peers that have shaken hands as everybody does. */
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { TcpSocket } from '../../../src/net/tcp.ts';
import type { SecureOptions, TlsSession, TlsUse, TlsVersion } from '../../../src/net/tls.ts';
import { until } from '../../contract/real-world.ts';
import { type Forge, helloAgain, recordType, times, TlsForger } from '../../helpers/tls-forger.ts';
import {
  closeAfterEach,
  closers,
  codesOf,
  createServerOf,
  listen,
  loopback,
  type Secured,
  versions,
  withoutDrain,
} from './tls-scene.ts';

closeAfterEach();

const { alert, data, handshake } = recordType;

interface Scene {
  readonly forger: TlsForger;
  readonly ours: Secured;
}

/** Has a say in how our side is secured. */
type Change = (socket: TcpSocket, options: SecureOptions) => [TcpSocket, SecureOptions];
const unchanged: Change = (...same) => same;

async function scene(version: TlsVersion, change = unchanged): Promise<Scene> {
  const server = createServerOf().openSession();
  const session: TlsSession = { secure: (socket, options) => server.secure(...change(socket, options)) };
  const { port, secured } = await listen(() => session);
  const raw: Socket = connect({ host: loopback, port, allowHalfOpen: true });
  closers.push(() => raw.destroy());
  raw.on('error', () => undefined);
  const forger = await TlsForger.on(raw, version);
  await until(() => secured[0]?.facts.length === 1);
  const [ours] = secured;
  if (ours === undefined) throw new Error('nothing was accepted');
  return { forger, ours };
}

function twice(forger: TlsForger): Uint8Array {
  const record = forger.line('once');
  return Buffer.concat([record, record]);
}

function spoiled(forger: TlsForger): Uint8Array {
  const record = forger.line('of another key');
  return record.map((byte, at) => (at === record.length - 1 ? byte ^ 1 : byte));
}

const faults: readonly (readonly [string, Forge])[] = [
  ['plaintext', () => Buffer.from('USER joe\r\nPASS secret\r\n')],
  ['noise', () => Buffer.alloc(100, 0x99)],
  ['a record of another key', spoiled],
  ['a record that came before', twice],
  [
    'a record that is too long',
    () => Buffer.concat([Uint8Array.of(data, 3, 3, 0x48, 1), Buffer.alloc(0x4801)]),
  ],
  ['a fatal alert', (forger) => forger.record(alert, Uint8Array.of(2, 80))],
  ['an alert in clear', () => Uint8Array.of(alert, 3, 3, 0, 2, 1, 0)],
  ['many empty records', times(100, (forger) => forger.record(data, new Uint8Array()))],
  ['many changes of the cipher', times(100, () => Uint8Array.of(20, 3, 3, 0, 1, 1))],
  ['a message of no handshake', (forger) => forger.record(handshake, Buffer.alloc(100, 7))],
  ['the wish for many handshakes', times(20, (forger) => forger.record(handshake, helloAgain))],
];

/** Says what a connection is used for. */
function usedTo(use: TlsUse): Change {
  return (socket, options) => [socket, { ...options, use }];
}

const kinds: readonly (readonly [string, TlsVersion, Change])[] = versions.flatMap((version) => [
  [version, version, unchanged],
  [`${version}, for writing`, version, usedTo('write')],
]);

describe.each(kinds)('a connection of %s', (_kind, version, change) => {
  it.each(faults)('is broken by %s, and nothing behind it is read', async (_, forge) => {
    const { forger, ours } = await scene(version, change);
    forger.raw.write(forge(forger));
    forger.raw.end(forger.line('behind'));
    await until(() => ours.ear.isClosed);
    expect([withoutDrain(ours), codesOf(ours)]).toEqual([['close reset'], ['TLB_ERR_TLS']]);
    expect(ours.ear.data).not.toContain('behind');
  });

  it.each([
    ['the longest record', (forger: TlsForger) => forger.record(data, Buffer.alloc(16_384, 'x'))],
    ['many of a byte', times(1_000, (forger) => forger.record(data, Uint8Array.of(0x78)))],
  ] as const)('goes on behind %s', async (_, forge: Forge) => {
    const { forger, ours } = await scene(version, change);
    forger.raw.write(forge(forger));
    forger.raw.end(Buffer.concat([forger.line('behind'), forger.record(alert, Uint8Array.of(1, 0))]));
    await until(() => withoutDrain(ours).length > 0);
    expect([withoutDrain(ours), ours.ear.data.replace(/^x+/, '')]).toEqual([['end'], 'behind\r\n']);
  });
});

it.each([
  ['another handshake, which is refused', handshake, helloAgain],
  ['a warning', alert, Uint8Array.of(1, 90)],
])('a connection of TLSv1.2 goes on behind %s', async (_, type, content) => {
  const { forger, ours } = await scene('TLSv1.2');
  forger.raw.write(Buffer.concat([forger.record(type, content), forger.line('behind')]));
  await until(() => ours.ear.data === 'behind\r\n');
  expect(ours.facts.length).toBe(1);
});

/** Takes nothing any more, once `isStuck`. */
function stuck(socket: TcpSocket, isStuck: () => boolean): TcpSocket {
  return new Proxy(socket, {
    get: (target, name) => {
      if (name === 'write' && isStuck()) return () => false;
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

/** Whether what was written goes within a moment. */
async function isDrained({ socket }: Secured): Promise<boolean> {
  for (let turn = 0; turn < 100 && socket.pending > 0; turn += 1) await sleep(1);
  return socket.pending === 0;
}

/** New keys whose answers, of some 27 bytes each, are more than we may owe. */
const enough = 14_000;

describe('new keys', { timeout: 60_000 }, () => {
  it('may be wished for again and again', async () => {
    const { forger, ours } = await scene('TLSv1.3');
    forger.raw.write(Buffer.concat([times(1_000, () => forger.update())(forger), forger.line('behind')]));
    await until(() => ours.ear.data === 'behind\r\n');
    expect(withoutDrain(ours)).toEqual([]);
  });

  it('are not wished for without end by a peer that does not read them', async () => {
    let isStuck = false;
    const change: Change = (socket, options) => [stuck(socket, () => isStuck), options];
    const { forger, ours } = await scene('TLSv1.3', change);
    isStuck = true;
    forger.raw.write(times(enough, () => forger.update())(forger));
    await until(() => ours.ear.isClosed);
    expect([withoutDrain(ours), codesOf(ours)]).toEqual([['close reset'], ['TLB_ERR_TLS']]);
  });

  it('are not wished for without end by a peer that does not read a file', async () => {
    const { forger, ours } = await scene('TLSv1.3', usedTo('write'));
    forger.raw.pause();
    while (ours.socket.write(new Uint8Array(32_768)) || (await isDrained(ours)));
    forger.raw.write(times(enough, () => forger.update())(forger));
    await until(() => ours.ear.isClosed);
    expect([withoutDrain(ours), codesOf(ours)]).toEqual([['close reset'], ['TLB_ERR_TLS']]);
  });

  it('are kept for a peer that sends a file, but not without end', async () => {
    const { forger, ours } = await scene('TLSv1.3', usedTo('read'));
    const { bytesRead } = forger.raw;
    forger.raw.write(Buffer.concat([times(100, () => forger.update())(forger), forger.line('100')]));
    await until(() => ours.ear.data === '100\r\n');
    expect(forger.raw.bytesRead).toBe(bytesRead);
    forger.raw.write(Buffer.concat([times(5_000, () => forger.update())(forger), forger.line('5000')]));
    await until(() => ours.ear.data === '100\r\n5000\r\n' && forger.raw.bytesRead - bytesRead > 100_000);
    expect(withoutDrain(ours)).toEqual([]);
  });
});
