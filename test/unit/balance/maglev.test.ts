import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { hashOf } from '../../../src/balance/hash.ts';
import { maglevSlots, maglevTable, nextSlot, stepOf } from '../../../src/balance/maglev.ts';
import { poolOf } from '../../helpers/pools.ts';

function slotsByIndex(weights: readonly number[]): number[] {
  const counts = weights.map(() => 0);
  for (const index of maglevTable(poolOf(weights))) counts[index] = (counts[index] ?? 0) + 1;
  return counts;
}

describe('the table', () => {
  test('is the same as ever: balancers of different versions agree', () => {
    const text = maglevTable(poolOf([1, 2, 3])).join('');
    expect([text.length, text.slice(0, 32), hashOf(text)]).toEqual([
      65_537,
      '11120221222200211211202122122202',
      91_843_841,
    ]);
  });

  test('gives every backend its share, up to as many slots as there are backends', () => {
    const weights = fc.array(fc.integer({ min: 1, max: 256 }), { minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(weights, (weights) => {
        const total = weights.reduce((sum, weight) => sum + weight, 0);
        for (const [at, slots] of slotsByIndex(weights).entries()) {
          expect(Math.abs(slots - (maglevSlots * (weights[at] ?? 0)) / total)).toBeLessThan(
            weights.length + 1,
          );
        }
      }),
      { numRuns: 20 },
    );
  });

  test('has a slot for every backend, however little it weighs', () => {
    const weights = Array.from({ length: 1_000 }, (_, at) => (at === 0 ? 1 : 256));
    expect(Math.min(...slotsByIndex(weights))).toBe(1);
  });

  test('knows the ratio of weights alone', () => {
    expect(maglevTable(poolOf([30, 60, 90]))).toEqual(maglevTable(poolOf([1, 2, 3])));
  });

  test('of one backend is full of it, and of none is empty', () => {
    expect(new Set(maglevTable(poolOf([7], 5)))).toEqual(new Set([5]));
    expect(new Set(maglevTable({ backends: [] }))).toEqual(new Set([-1]));
  });
});

test('every way leads through every slot', () => {
  for (const text of ['', 'b0', 'pxelinux.0']) {
    const hash = hashOf(text);
    const seen = new Set<number>();
    let slot = hash % maglevSlots;
    for (let at = 0; at < maglevSlots; at += 1) {
      seen.add(slot);
      slot = nextSlot(slot, stepOf(hash));
    }
    expect(seen.size).toBe(maglevSlots);
  }
});
