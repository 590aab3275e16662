import { getHeapStatistics } from 'node:v8';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { PolicyFactory } from '../../src/balance/policies.ts';
import type { Policy } from '../../src/balance/pool.ts';
import { eligibleOf, poolOf, smallScoreboard } from '../helpers/pools.ts';

export interface PolicyTraits {
  /** Whether every backend gets exactly the share of picks that its weight says. */
  readonly exactShares: boolean;
}

const request = { client: '198.51.100.7' };
const firstIndex = 3;
const weights = fc.array(fc.integer({ min: 1, max: 256 }), { minLength: 1, maxLength: 8 });

/** What every policy owes to the selector. */
export function policyContract(name: string, make: PolicyFactory, traits: PolicyTraits): void {
  describe(`policy ${name}`, () => {
    test('picks only what is eligible', () => {
      const turns = fc.array(fc.record({ mask: fc.integer({ min: 1, max: 255 }), retry: fc.boolean() }), {
        maxLength: 40,
      });
      fc.assert(
        fc.property(weights, turns, (weights, turns) => {
          const policy = make(poolOf(weights, firstIndex), smallScoreboard(), 1);
          for (const { mask, retry } of turns) {
            const indexes = chosen(weights, mask);
            expect(indexes).toContain(policy.pick(eligibleOf(indexes, retry), request));
          }
        }),
      );
    });

    test('does not look behind the count of the eligible', () => {
      const policy = make(poolOf([1, 1, 1]), smallScoreboard(), 0);
      const eligible = eligibleOf([1, 2, 0]);
      eligible.count = 1;
      expect([1, 2, 3].map(() => policy.pick(eligible, request))).toEqual([1, 1, 1]);
    });

    test('two workers that see the same pick the same', () => {
      fc.assert(
        fc.property(weights, fc.integer({ min: 1, max: 255 }), (weights, mask) => {
          const [one, other] = [1, 2].map(() => make(poolOf(weights), smallScoreboard(), 0));
          const eligible = eligibleOf(chosen(weights, mask, 0));
          expect(picks(other, eligible, 50)).toEqual(picks(one, eligible, 50));
        }),
      );
    });

    test('allocates nothing for a pick', () => {
      const policy = make(poolOf([1, 2, 3, 4]), smallScoreboard(), 0);
      const lists = [eligibleOf([0, 1, 2, 3]), eligibleOf([0, 3]), eligibleOf([1, 2, 3], true)] as const;
      const pickAll = (): void => {
        for (const eligible of lists) policy.pick(eligible, request);
      };
      expect(bytesPerCall(pickAll)).toBeLessThan(1);
    });

    if (traits.exactShares) sharesContract(make);
  });
}

function sharesContract(make: PolicyFactory): void {
  test('as many picks as there is weight give every backend its weight, wherever they begin', () => {
    fc.assert(
      fc.property(weights, fc.integer({ min: 1, max: 255 }), fc.nat(1000), (weights, mask, skipped) => {
        const policy = make(poolOf(weights), smallScoreboard(), 0);
        const eligible = eligibleOf(chosen(weights, mask, 0));
        picks(policy, eligible, skipped);
        const total = [...eligible.indexes].reduce((sum, index) => sum + (weights[index] ?? 0), 0);
        const counts = countOf(picks(policy, eligible, total));
        for (const index of eligible.indexes) expect(counts.get(index)).toBe(weights[index]);
      }),
    );
  });

  test('any number of picks over equal backends differ by at most one, also when some leave and return', () => {
    const stages = fc.array(fc.record({ mask: fc.integer({ min: 1, max: 255 }), count: fc.nat(30) }), {
      maxLength: 8,
    });
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 8 }),
        fc.integer({ min: 1, max: 256 }),
        stages,
        (k, weight, stages) => {
          const equal = Array.from({ length: k }, () => weight);
          const policy = make(poolOf(equal), smallScoreboard(), 0);
          for (const { mask, count } of stages) {
            const eligible = eligibleOf(chosen(equal, mask, 0));
            const counts = countOf(picks(policy, eligible, count));
            const numbers = [...eligible.indexes].map((index) => counts.get(index) ?? 0);
            expect(Math.max(...numbers) - Math.min(...numbers)).toBeLessThanOrEqual(1);
          }
        },
      ),
    );
  });

  test('retries take no turn from new requests', () => {
    const policy = make(poolOf([1, 1, 1]), smallScoreboard(), 0);
    const all = [0, 1, 2];
    const first = Array.from({ length: 30 }, () => {
      const index = policy.pick(eligibleOf(all), request);
      const others = all.filter((other) => other !== index);
      const next = policy.pick(eligibleOf(others, true), request);
      const last = others.filter((other) => other !== next);
      policy.pick(eligibleOf(last, true), request);
      return index;
    });
    expect(countOf(first)).toEqual(new Map(all.map((index) => [index, 10])));
  });
}

/** The indexes whose bit is set in `mask`, and at least one. */
function chosen(weights: readonly number[], mask: number, from: number = firstIndex): number[] {
  const indexes = weights.map((_, at) => from + at);
  const some = indexes.filter((_, at) => (mask & (1 << at)) !== 0);
  return some.length > 0 ? some : indexes;
}

function picks(policy: Policy | undefined, eligible: ReturnType<typeof eligibleOf>, count: number): number[] {
  return Array.from({ length: count }, () => policy?.pick(eligible, request) ?? -1);
}

function countOf(picked: readonly number[]): Map<number, number> {
  const counts = new Map<number, number>();
  for (const index of picked) counts.set(index, (counts.get(index) ?? 0) + 1);
  return counts;
}

/** The median over several rounds: the collector may run in one of them. */
function bytesPerCall(call: () => void): number {
  const calls = 10_000;
  const rounds = Array.from({ length: 15 }, () => {
    const before = getHeapStatistics().used_heap_size;
    for (let at = 0; at < calls; at += 1) call();
    return (getHeapStatistics().used_heap_size - before) / calls;
  });
  return rounds.sort((a, b) => a - b)[7] ?? Number.NaN;
}
