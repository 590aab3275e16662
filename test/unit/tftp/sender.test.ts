import { describe, expect, it } from 'vitest';
import { blockOf, encodeAck, encodeData, encodeOack, Opcode } from '../../../src/tftp/packet.ts';
import { Sender, type SenderOptions } from '../../../src/tftp/sender.ts';
import { blocksOf, notYet } from '../../../src/tftp/source.ts';
import { fileOf, patterned } from './content.ts';

const blksize = 8;

function sender(size: number, changes: Partial<SenderOptions> = {}) {
  const content = patterned(size);
  const windowsize = changes.windowsize ?? 1;
  const sent: (number | string)[] = [];
  const payloads: Uint8Array[] = [];
  const machine = new Sender({
    blksize,
    windowsize,
    retry: { timeout: 1000, retries: 2 },
    opening: undefined,
    read: blocksOf(fileOf(content), 'octet', { blksize, windowsize }),
    send: (packet) => {
      if (packet[1] !== Opcode.data) {
        sent.push('opening');
        return;
      }
      sent.push(blockOf(packet));
      payloads.push(packet.slice(4));
    },
    ...changes,
  });
  machine.start(0);
  const take = (): (number | string)[] => sent.splice(0);
  const ack = (block: number): (number | string)[] => {
    sent.length = 0;
    machine.onPacket(encodeAck(block), 0);
    return take();
  };
  return { machine, content, payloads, take, ack };
}

describe('Sender', () => {
  it('sends one block after the other and is done with the last ACK', () => {
    const { machine, content, payloads, take, ack } = sender(19);
    expect(take()).toEqual([1]);
    expect(ack(1)).toEqual([2]);
    expect(ack(2)).toEqual([3]);
    expect(machine.state).toBe('running');
    expect(ack(3)).toEqual([]);
    expect(machine.state).toBe('done');
    expect(machine.deadline).toBeUndefined();
    expect(Buffer.concat(payloads)).toEqual(Buffer.from(content));
    expect(machine.counts).toEqual({ bytes: 19, blocks: 3, repeats: 0 });
  });

  it.each([
    [0, [0]],
    [7, [7]],
    [8, [8, 0]],
    [16, [8, 8, 0]],
  ])('cuts %i bytes into blocks of %j', (size, lengths) => {
    const { payloads, ack } = sender(size);
    for (let block = 1; block < lengths.length; block++) ack(block);
    expect(payloads.map((payload) => payload.length)).toEqual(lengths);
  });

  it('waits for ACK 0 after an opening packet', () => {
    const { machine, take, ack } = sender(3, { opening: encodeOack({ blksize: '8' }) });
    expect(take()).toEqual(['opening']);
    machine.wake(0);
    expect(ack(1)).toEqual([]);
    machine.onTimeout(1000);
    expect(take()).toEqual(['opening']);
    expect(ack(0)).toEqual([1]);
    expect(ack(0)).toEqual([]);
    expect(ack(1)).toEqual([]);
    expect(machine.state).toBe('done');
  });

  it('sends nothing for an ACK that comes twice, late or from the future', () => {
    const { machine, ack } = sender(100);
    ack(1);
    ack(2);
    expect([ack(2), ack(1), ack(0), ack(4), ack(40_000)]).toEqual([[], [], [], [], []]);
    expect(machine.counts.repeats).toBe(5);
    expect(ack(3)).toEqual([4]);
  });

  it('keeps a window under way', () => {
    const { take, ack } = sender(100, { windowsize: 4 });
    expect(take()).toEqual([1, 2, 3, 4]);
    expect(ack(4)).toEqual([5, 6, 7, 8]);
    expect(ack(8)).toEqual([9, 10, 11, 12]);
    expect(ack(12)).toEqual([13]);
  });

  it('goes back behind the block that an ACK inside the window confirms', () => {
    const { machine, take, ack } = sender(100, { windowsize: 4 });
    take();
    expect(ack(2)).toEqual([3, 4, 5, 6]);
    expect(machine.counts).toEqual({ bytes: 48, blocks: 6, repeats: 2 });
    expect(ack(2)).toEqual([]);
  });

  it('repeats the window after silence with growing waits, then gives up', () => {
    const { machine, take } = sender(100, { windowsize: 2 });
    take();
    machine.onTimeout(1000);
    expect(take()).toEqual([1, 2]);
    expect(machine.deadline).toBe(3000);
    machine.onTimeout(3000);
    expect(machine.deadline).toBe(7000);
    take();
    machine.onTimeout(7000);
    expect(take()).toEqual([]);
    expect(machine.state).toBe('timeout');
    expect(machine.counts.repeats).toBe(4);
  });

  it.each([1, 16])('counts from 65535 to 0 with windowsize %i', (windowsize) => {
    const size = blksize * 65_600 + 1;
    const { machine, ack } = sender(size, { windowsize });
    for (let block = windowsize; block <= 65_601; block += windowsize) ack(block & 0xffff);
    expect(ack(65_601 & 0xffff)).toEqual([]);
    expect(machine.state).toBe('done');
    expect(machine.counts).toEqual({ bytes: size, blocks: 65_601, repeats: 0 });
  });

  it('waits without a timer for a source that has nothing yet', () => {
    const queue: number[] = [];
    const read = (_: number, into: Uint8Array): number => {
      const length = queue.shift();
      return length === undefined ? notYet : into.subarray(0, length).length;
    };
    const { machine, take, ack } = sender(0, { read, windowsize: 2 });
    expect(machine.deadline).toBeUndefined();
    queue.push(8);
    machine.wake(10);
    expect(take()).toEqual([1]);
    expect(machine.deadline).toBe(1010);
    expect(ack(1)).toEqual([]);
    expect(machine.deadline).toBeUndefined();
    queue.push(8, 3);
    machine.wake(20);
    expect(take()).toEqual([2, 3]);
    ack(3);
    expect(machine.state).toBe('done');
  });

  it('fails if the file gets shorter under it', () => {
    expect(() =>
      sender(0, {
        read: blocksOf({ kind: 'file', size: 5, read: () => 4 }, 'octet', { blksize, windowsize: 1 }),
      }),
    ).toThrow(expect.objectContaining({ code: 'TLB_ERR_TFTP_STORE', answer: 0 }));
  });

  it('ignores packets that are none of its business', () => {
    const { machine, take } = sender(100);
    take();
    machine.onPacket(encodeData(1, new Uint8Array(0)), 0);
    machine.onPacket(encodeOack({}), 0);
    expect(take()).toEqual([]);
  });
});
