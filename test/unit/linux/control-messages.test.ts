import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Arena } from '../../../src/linux/arena.ts';
import { controlSpace, findControl, NOT_FOUND, writeControl } from '../../../src/linux/control-messages.ts';
import { isElsewhere, libcHere } from './kernel.ts';

const SIZE = 128;

describe.skipIf(isElsewhere)('control messages', () => {
  const entry = fc.record({ level: fc.nat(3), type: fc.nat(3), size: fc.nat(12), mark: fc.nat(255) });

  it('are found as they were written, the first of those with one level and type', () => {
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 4 }), fc.nat(7), (entries, start8) => {
        const start = start8 * 8;
        const arena = new Arena(libcHere(), start + SIZE);
        let end = start;
        for (const { level, type, size, mark } of entries) {
          const data = writeControl(arena, end, level, type, size);
          arena.bytes.fill(mark, data, data + size);
          end += controlSpace(size);
        }
        for (const { level, type } of entries) {
          const first = entries.find((other) => other.level === level && other.type === type);
          if (!first) throw new Error('not among themselves');
          const at = findControl(arena, start, end - start, level, type, first.size);
          expect([...arena.bytes.subarray(at, at + first.size)]).toEqual(Array(first.size).fill(first.mark));
          expect(findControl(arena, start, end - start, level, type, first.size + 1)).toBe(NOT_FOUND);
        }
        expect(findControl(arena, start, end - start, 4, 0, 0)).toBe(NOT_FOUND);
      }),
    );
  });

  it('are not found outside of the bytes that are searched, whatever these are', () => {
    const size = fc.nat(24);
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: SIZE, maxLength: SIZE }),
        fc.nat(SIZE),
        size,
        (bytes, length, size) => {
          const arena = new Arena(libcHere(), SIZE);
          arena.bytes.set(bytes);
          const level = arena.view.getInt32(8, true);
          const type = arena.view.getInt32(12, true);
          const at = findControl(arena, 0, length, level, type, size);
          if (at !== NOT_FOUND) expect(at + size).toBeLessThanOrEqual(length);
        },
      ),
    );
  });

  it.each([0, 1, 15, 17 + SIZE, 0xffffffff])('end where an entry says that it has %i bytes', (size) => {
    const arena = new Arena(libcHere(), SIZE);
    writeControl(arena, 0, 1, 1, 0);
    arena.view.setUint32(0, size, true);
    writeControl(arena, 16, 2, 2, 0);
    expect(findControl(arena, 0, SIZE, 2, 2, 0)).toBe(NOT_FOUND);
  });
});
