import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { policies } from '../../src/balance/policies.ts';
import type { PickRequest } from '../../src/balance/pool.ts';
import type { PolicyName } from '../../src/engine/snapshot.ts';
import { eligibleOf, poolOf, smallScoreboard } from '../helpers/pools.ts';
import { keyContract } from './policy-keys.ts';
import { bytesPerCall, chosen, everyone, picks, requests } from './policy-scene.ts';
import { loadContract, orderContract, turnContract } from './policy-shares.ts';

/** What a policy goes by, and so what it promises besides. */
export type PolicyTraits =
  /** By turns: every backend has exactly as many as its weight says. */
  | { readonly kind: 'turns' }
  /** By load: sessions that stay are shared out by weight. */
  | { readonly kind: 'load' }
  /** By a part of the request: the same key goes to the same backend, and backends have keys by weight. */
  | { readonly kind: 'key'; readonly key: keyof PickRequest }
  /** By the order of the pool: the first one that is eligible. */
  | { readonly kind: 'order' };

const firstIndex = 3;
const weights = fc.array(fc.integer({ min: 1, max: 256 }), { minLength: 1, maxLength: 8 });
const mask = fc.integer({ min: 1, max: 255 });

/** What every policy owes to the selector. */
export function policyContract(name: PolicyName, traits: PolicyTraits): void {
  const make = policies[name];

  describe(`policy ${name}`, () => {
    test('picks only what is eligible', () => {
      const turns = fc.array(fc.record({ mask, retry: fc.boolean() }), { maxLength: 40 });
      const wanted = requests(40);
      fc.assert(
        fc.property(weights, turns, (weights, turns) => {
          const policy = make(poolOf(weights, firstIndex), smallScoreboard(), 1);
          for (const [at, { mask, retry }] of turns.entries()) {
            const indexes = chosen(weights.length, mask, firstIndex);
            const [picked] = picks(policy, eligibleOf(indexes, retry), wanted.slice(at, at + 1));
            expect(indexes).toContain(picked);
          }
        }),
      );
    });

    test('does not look behind the count of the eligible', () => {
      const policy = make(poolOf([1, 1, 1]), smallScoreboard(), 0);
      const eligible = eligibleOf([1, 2, 0]);
      eligible.count = 1;
      expect(new Set(picks(policy, eligible, requests(20)))).toEqual(new Set([1]));
    });

    test('two workers that see the same pick the same', () => {
      const wanted = requests(50);
      fc.assert(
        fc.property(weights, mask, (weights, mask) => {
          const eligible = eligibleOf(chosen(weights.length, mask));
          const picked = [1, 2].map(() =>
            picks(make(poolOf(weights), smallScoreboard(), 0), eligible, wanted),
          );
          expect(picked[1]).toEqual(picked[0]);
        }),
        { numRuns: 30 },
      );
    });

    test('a new snapshot of the same pool changes nothing', () => {
      const pool = poolOf([3, 1, 2, 5]);
      const wanted = requests(60);
      const picked = [[60], [7, 13, 40]].map((stages) => {
        const board = smallScoreboard();
        let at = 0;
        return stages.flatMap((count) =>
          picks(make(pool, board, 0), everyone(pool), wanted.slice(at, (at += count))),
        );
      });
      expect(picked[1]).toEqual(picked[0]);
    });

    test('allocates nothing for a pick', () => {
      const policy = make(poolOf([1, 2, 3, 4]), smallScoreboard(), 0);
      const lists = [eligibleOf([0, 1, 2, 3]), eligibleOf([0, 3]), eligibleOf([1, 2, 3], true)];
      const wanted = requests(5);
      const pickAll = (): void => {
        for (const eligible of lists) for (const request of wanted) policy.pick(eligible, request);
      };
      expect(bytesPerCall(pickAll)).toBeLessThan(1);
    });

    contractOf(name, traits);
  });
}

function contractOf(name: PolicyName, traits: PolicyTraits): void {
  switch (traits.kind) {
    case 'turns':
      return turnContract(name);
    case 'load':
      return loadContract(policies[name]);
    case 'key':
      return keyContract(policies[name], traits.key);
    case 'order':
      return orderContract(policies[name]);
  }
}
