import { beforeEach, describe, expect, it } from 'vitest';
import { EAGAIN, ECONNREFUSED, ENETUNREACH } from '../../../../src/linux/constants.ts';
import { MessageBatch } from '../../../../src/linux/message-batch.ts';
import { type Exit, Outbox, type Owner } from '../../../../src/linux/net/outbox.ts';
import { FakeKernel } from './fake-kernel.ts';

describe('an outbox', () => {
  let kernel: FakeKernel;
  let batch: MessageBatch;
  let outbox: Outbox;
  let postponed: (() => void)[];
  let unsent: string[];
  let asked: number[];

  beforeEach(() => {
    kernel = new FakeKernel();
    batch = new MessageBatch(kernel.libc, { slots: 8, slotSize: 32 });
    postponed = [];
    outbox = new Outbox(batch, (callback) => postponed.push(callback));
    unsent = [];
    asked = [];
    for (let slot = 0; slot < batch.slots; slot++) {
      batch.write(slot, Buffer.from(`slot ${slot}`));
      batch.peers.set4(slot, 0x7f000001, 1_000 + slot);
    }
  });

  const owner = (name: string): Owner => ({ onUnsent: (errno) => unsent.push(`${name}: ${errno}`) });
  const exit = (fd: number, hearsErrors = false): Exit => ({
    fd,
    mayRepeat: (errno) => {
      asked.push(errno);
      return hearsErrors;
    },
  });
  const putAll = (through: Exit, slots: readonly number[]): void => {
    for (const slot of slots) outbox.put(through, slot, owner(`slot ${slot}`));
  };
  const left = (): string[] => kernel.sent.map(({ fd, port, data }) => `${fd}: ${data} to ${port}`);

  it('sends in one call what follows each other through one socket', () => {
    const socket = exit(7);
    putAll(socket, [0, 1, 2]);
    expect(kernel.calls).toEqual([]);
    outbox.flush();
    expect(kernel.calls).toEqual([3]);
    expect(left()).toEqual(['7: slot 0 to 1000', '7: slot 1 to 1001', '7: slot 2 to 1002']);
    outbox.flush();
    expect(kernel.calls).toEqual([3]);
  });

  it('keeps the order over several sockets, and where slots are left out or come again', () => {
    const [one, other] = [exit(7), exit(8)];
    putAll(one, [0, 1]);
    putAll(other, [2]);
    putAll(one, [3, 5]);
    expect(outbox.has(3)).toBe(false);
    expect(outbox.has(5)).toBe(true);
    outbox.flush();
    expect(outbox.has(5)).toBe(false);
    putAll(one, [5]);
    outbox.flush();
    expect(left().map((line) => line.slice(0, 9))).toEqual([
      '7: slot 0',
      '7: slot 1',
      '8: slot 2',
      '7: slot 3',
      '7: slot 5',
      '7: slot 5',
    ]);
    expect(kernel.calls).toEqual([2, 1, 1, 1, 1]);
  });

  it('tells the sender alone, after the call, and sends the others', () => {
    kernel.closed.set(1_000, ENETUNREACH).set(1_002, EAGAIN);
    putAll(exit(7), [0, 1, 2, 3]);
    outbox.flush();
    expect(left()).toEqual(['7: slot 1 to 1001', '7: slot 3 to 1003']);
    expect(unsent).toEqual([]);
    for (const callback of postponed) callback();
    expect(unsent).toEqual([`slot 0: ${ENETUNREACH}`, `slot 2: ${EAGAIN}`]);
    expect(asked).toEqual([ENETUNREACH, EAGAIN]);
  });

  it('sends again what failed for an earlier datagram, and tells nobody', () => {
    kernel.pending.push(ECONNREFUSED, ECONNREFUSED);
    putAll(exit(7, true), [0, 1]);
    outbox.flush();
    kernel.pending.push(0, ECONNREFUSED);
    putAll(exit(7, true), [2, 3, 4]);
    outbox.flush();
    expect(left().map((line) => line.slice(3, 9))).toEqual([
      'slot 0',
      'slot 1',
      'slot 2',
      'slot 3',
      'slot 4',
    ]);
    expect(postponed).toEqual([]);
    // The error behind the first of a call is told by none: the kernel keeps it to itself.
    expect(asked).toEqual([ECONNREFUSED, ECONNREFUSED]);
  });

  it('gives up where errors come without end, and goes on with the next', () => {
    kernel.closed.set(1_000, ECONNREFUSED);
    putAll(exit(7, true), [0, 1]);
    outbox.flush();
    for (const callback of postponed) callback();
    expect(unsent).toEqual([`slot 0: ${ECONNREFUSED}`]);
    expect(left()).toEqual(['7: slot 1 to 1001']);
    expect(kernel.calls.length).toBeLessThan(10);
  });

  it('knows of nobody once it has sent, whoever is told then', () => {
    kernel.closed.set(1_001, EAGAIN);
    putAll(exit(7), [0, 1]);
    outbox.flush();
    outbox.put(exit(8), 1, owner('another'));
    for (const callback of postponed) callback();
    expect(unsent).toEqual([`slot 1: ${EAGAIN}`]);
  });
});
