import { describe, expect, it } from 'vitest';
import { MessageBatch } from '../../../../src/linux/message-batch.ts';
import { SlotViews } from '../../../../src/linux/net/slot-views.ts';
import { FakeKernel } from './fake-kernel.ts';

function openViews(): { view: (slot: number, text: string) => Uint8Array } {
  const batch = new MessageBatch(new FakeKernel().libc, { slots: 2, slotSize: 1024 });
  const views = new SlotViews(batch);
  return {
    view: (slot, text) => {
      batch.write(slot, Buffer.from(text));
      return views.of(slot);
    },
  };
}

describe('views of slots', () => {
  it('show what lies there now, in its length', () => {
    const { view } = openViews();
    for (const text of ['one', '', 'another', 'x', '', 'y'.repeat(64), 'z'.repeat(65), 'one']) {
      for (const slot of [0, 1])
        expect(Buffer.from(view(slot, `${text}${slot}`)).toString()).toBe(`${text}${slot}`);
      expect(Buffer.from(view(1, text)).toString()).toBe(text);
    }
  });

  it('are made once for blocks and ACKs that come in turns', () => {
    const { view } = openViews();
    const [ack, block] = [view(0, 'ack1'), view(0, 'b'.repeat(516))];
    for (let round = 0; round < 3; round++) {
      expect(view(0, 'ack2')).toBe(ack);
      expect(view(0, 'c'.repeat(516))).toBe(block);
    }
    expect(view(0, 'last')).toBe(ack);
    expect(view(0, 'c'.repeat(100))).not.toBe(block);
  });

  it('are never the same for two slots or two lengths', () => {
    const { view } = openViews();
    for (const text of ['', 'ack1']) expect(view(0, text)).not.toBe(view(1, text));
    expect(view(0, 'ack1')).not.toBe(view(0, 'ack12'));
  });
});
