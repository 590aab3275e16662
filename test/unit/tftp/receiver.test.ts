import { describe, expect, it } from 'vitest';
import {
  encodeAck,
  encodeData,
  encodeError,
  encodeOack,
  TftpProtocolError,
} from '../../../src/tftp/packet.ts';
import { Receiver, type ReceiverOptions } from '../../../src/tftp/receiver.ts';

const blksize = 8;
const full = new Uint8Array(blksize).fill(7);
const short = Uint8Array.of(1, 2, 3);

function receiver(changes: Partial<ReceiverOptions> = {}) {
  const sent: string[] = [];
  const written: number[] = [];
  const machine = new Receiver({
    blksize,
    windowsize: 1,
    retry: { timeout: 1000, retries: 2 },
    opening: encodeAck(0),
    sink: { write: (bytes) => written.push(...bytes) > 0, end: () => written.push(-1) },
    send: (packet) =>
      sent.push(packet[1] === 4 ? `ack ${((packet[2] ?? 0) << 8) | (packet[3] ?? 0)}` : 'other'),
    ...changes,
  });
  machine.start(0);
  const data = (block: number, payload: Uint8Array = full): string[] => {
    sent.length = 0;
    machine.onPacket(encodeData(block, payload), 0);
    return [...sent];
  };
  return { machine, sent, written, data };
}

describe('Receiver', () => {
  it('acknowledges every block in lock-step and ends with a short one', () => {
    const { machine, sent, written, data } = receiver();
    expect(sent).toEqual(['ack 0']);
    expect(data(1)).toEqual(['ack 1']);
    expect(data(2, short)).toEqual(['ack 2']);
    expect(machine.state).toBe('done');
    expect(machine.deadline).toBeUndefined();
    expect(written).toEqual([...full, ...short, -1]);
    expect(machine.counts).toEqual({ bytes: 11, blocks: 2, repeats: 0 });
  });

  it('ends with an empty block where the file fills its blocks', () => {
    const { machine, written, data } = receiver();
    data(1);
    expect(data(2, new Uint8Array(0))).toEqual(['ack 2']);
    expect(machine.state).toBe('done');
    expect(written).toEqual([...full, -1]);
  });

  it('has the file safe before the last ACK goes out', () => {
    const order: string[] = [];
    const machine = new Receiver({
      blksize,
      windowsize: 1,
      retry: { timeout: 1, retries: 0 },
      opening: undefined,
      sink: { write: () => true, end: () => order.push('end') },
      send: () => order.push('ack'),
    });
    machine.start(0);
    machine.onPacket(encodeData(1, short), 0);
    expect(order).toEqual(['end', 'ack']);
  });

  it('acknowledges a window once, at its end', () => {
    const { data } = receiver({ windowsize: 4 });
    expect([1, 2, 3, 4, 5].map((block) => data(block))).toEqual([[], [], [], ['ack 4'], []]);
    expect(data(6, short)).toEqual(['ack 6']);
  });

  it('reports a gap at once and once, and starts a new window after it', () => {
    const { data } = receiver({ windowsize: 4 });
    const acks = [1, 2, 4, 5, 3, 4, 5, 6].map((block) => data(block));
    expect(acks).toEqual([[], [], ['ack 2'], [], [], [], [], ['ack 6']]);
  });

  it('reports a second gap', () => {
    const { data } = receiver({ windowsize: 4 });
    expect([2, 1, 3].map((block) => data(block))).toEqual([['ack 0'], [], ['ack 1']]);
  });

  it('answers a repeat of the block it acknowledged last, and no other one', () => {
    const { machine, data } = receiver({ windowsize: 4 });
    for (const block of [1, 2, 3, 4, 5]) data(block);
    expect([1, 2, 3, 5].map((block) => data(block))).toEqual([[], [], [], []]);
    expect(data(4)).toEqual(['ack 4']);
    expect(machine.counts).toEqual({ bytes: 40, blocks: 5, repeats: 5 });
    expect([6, 7, 8].map((block) => data(block))).toEqual([[], [], ['ack 8']]);
  });

  it('goes on answering repeats of the last block once it is done, and nothing else', () => {
    const { machine, sent, data } = receiver();
    data(1);
    data(2, short);
    expect(data(2, short)).toEqual(['ack 2']);
    expect(data(1)).toEqual([]);
    expect(data(3)).toEqual([]);
    machine.wake(0);
    expect(sent).toEqual([]);
    expect(machine.counts.bytes).toBe(11);
  });

  it.each([1, 5])('counts from 65535 to 0 with windowsize %i', (windowsize) => {
    const { machine, sent, data } = receiver({ windowsize, sink: { write: () => true, end: () => {} } });
    for (let block = 1; block <= 65_539; block++) machine.onPacket(encodeData(block & 0xffff, full), 0);
    expect(sent).toHaveLength(1 + Math.floor(65_539 / windowsize));
    expect(sent).toContain(windowsize === 1 ? 'ack 0' : 'ack 65535');
    expect(data(4, short)).toEqual(['ack 4']);
    expect(machine.counts.blocks).toBe(65_540);
  });

  it('answers a repeat of block 65536, whose number is 0', () => {
    const { machine, data } = receiver({ sink: { write: () => true, end: () => {} } });
    for (let block = 1; block <= 65_536; block++) machine.onPacket(encodeData(block & 0xffff, full), 0);
    expect(data(0)).toEqual(['ack 0']);
  });

  it('repeats what it sent last with growing waits, then gives up', () => {
    const { machine, sent, data } = receiver();
    data(1);
    expect(machine.deadline).toBe(1000);
    machine.onTimeout(1000);
    expect(machine.deadline).toBe(3000);
    machine.onTimeout(3000);
    expect(machine.deadline).toBe(7000);
    machine.onTimeout(7000);
    expect(sent).toEqual(['ack 1', 'ack 1', 'ack 1']);
    expect(machine.state).toBe('timeout');
    expect(machine.deadline).toBeUndefined();
    expect(data(2)).toEqual([]);
  });

  it('has all its retries again after progress', () => {
    const { machine, data } = receiver();
    machine.onTimeout(1000);
    machine.onTimeout(3000);
    data(1);
    machine.onTimeout(8000);
    machine.onTimeout(9000);
    expect(machine.state).toBe('running');
  });

  it('acknowledges the newest block of an unfinished window after silence', () => {
    const { machine, sent, data } = receiver({ windowsize: 4 });
    data(1);
    data(2);
    machine.onTimeout(1000);
    expect(sent).toEqual(['ack 2']);
    expect([3, 4, 5, 6].map((block) => data(block))).toEqual([[], [], [], ['ack 6']]);
  });

  it('repeats its opening until the first block is there', () => {
    const { machine, sent } = receiver({ opening: encodeOack({ blksize: '8' }) });
    machine.onTimeout(1000);
    expect(sent).toEqual(['other', 'other']);
  });

  it('keeps the ACK back while the sink is full, without a timer', () => {
    const { machine, sent, data } = receiver({ sink: { write: () => false, end: () => {} } });
    expect(data(1)).toEqual([]);
    expect(data(1)).toEqual([]);
    expect(machine.deadline).toBeUndefined();
    machine.wake(5000);
    expect(sent).toEqual(['ack 1']);
    expect(machine.deadline).toBe(6000);
    expect(data(2, short)).toEqual(['ack 2']);
    expect(machine.state).toBe('done');
  });

  it('refuses a block that is longer than agreed', () => {
    const { data } = receiver();
    expect(() => data(1, new Uint8Array(blksize + 1))).toThrow(TftpProtocolError);
  });

  it('ignores packets that are none of its business', () => {
    const { machine, sent } = receiver();
    for (const packet of [encodeAck(1), encodeOack({}), encodeError(0, ''), Uint8Array.of(9, 9, 9, 9)]) {
      machine.onPacket(packet, 0);
    }
    expect(sent).toEqual(['ack 0']);
    expect(machine.counts).toEqual({ bytes: 0, blocks: 0, repeats: 0 });
  });
});
