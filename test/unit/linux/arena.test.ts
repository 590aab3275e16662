import { describe, expect, it } from 'vitest';
import { Arena } from '../../../src/linux/arena.ts';
import { isElsewhere, libcHere } from './kernel.ts';

describe.skipIf(isElsewhere)('an arena', () => {
  it('has addresses for its own bytes alone', () => {
    const arena = new Arena(libcHere(), 64);
    const start = arena.addressOf(0, 64);
    expect(arena.addressOf(63, 1)).toBe(start + 63n);
    expect(arena.addressOf(64, 0)).toBe(start + 64n);
    for (const [offset, length] of [
      [0, 65],
      [64, 1],
      [-1, 1],
      [0, -1],
      [Number.NaN, 1],
      [0, Number.NaN],
      [0, Number.POSITIVE_INFINITY],
    ] as const) {
      expect(() => arena.addressOf(offset, length)).toThrow(RangeError);
    }
  });

  it('is where the kernel reads and writes', () => {
    const libc = libcHere();
    const target = new Arena(libc, 16);
    const pointers = new Arena(libc, 16);
    pointers.setPointer(8, target, 4, 12);
    expect(pointers.view.getBigUint64(8, true)).toBe(target.addressOf(4, 12));
    expect(() => pointers.setPointer(8, target, 4, 13)).toThrow(RangeError);
    expect(() => pointers.setPointer(9, target, 0, 1)).toThrow(RangeError);
  });

  it('cannot lose its memory to whoever has a view of it', () => {
    const arena = new Arena(libcHere(), 16);
    const view = arena.bytes.subarray(4, 8);
    expect(() => structuredClone(view, { transfer: [view.buffer as unknown as ArrayBuffer] })).toThrow();
    expect('transfer' in view.buffer).toBe(false);
  });
});
