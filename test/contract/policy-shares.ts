/** What policies promise of the shares of backends. */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { policies, type PolicyFactory } from '../../src/balance/policies.ts';
import type { Pool } from '../../src/balance/pool.ts';
import type { Scoreboard } from '../../src/balance/scoreboard.ts';
import type { PolicyName } from '../../src/engine/snapshot.ts';
import { eligibleOf, poolOf, smallScoreboard } from '../helpers/pools.ts';
import type { PickerTask } from './policy-picker.ts';
import { chosen, countOf, everyone, misfit, picks, requests } from './policy-scene.ts';

/** Pools whose shares are looked at. */
export const someWeights: readonly { readonly weights: readonly number[] }[] = [
  { weights: [1, 1, 1] },
  { weights: [1, 2, 3, 4] },
  { weights: [1, 16] },
  { weights: [20, 20, 20, 1] },
  { weights: [5, 7, 11] },
];
const evenWeights: typeof someWeights = [
  { weights: [1, 1] },
  { weights: [3, 3, 3] },
  { weights: [1, 1, 1, 1, 1, 1, 1, 1] },
];

/** Exactly by weight, in all threads together. */
export function turnContract(name: PolicyName): void {
  const make = policies[name];
  const mask = fc.integer({ min: 1, max: 255 });

  test('as many picks as there is weight give every backend its weight, wherever they begin', () => {
    const weights = fc.array(fc.integer({ min: 1, max: 256 }), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(weights, mask, fc.nat(1000), (weights, mask, skipped) => {
        const policy = make(poolOf(weights), smallScoreboard(), 0);
        const eligible = eligibleOf(chosen(weights.length, mask));
        picks(policy, eligible, requests(skipped));
        const total = [...eligible.indexes].reduce((sum, index) => sum + (weights[index] ?? 0), 0);
        const counts = countOf(picks(policy, eligible, requests(total)));
        for (const index of eligible.indexes) expect(counts.get(index)).toBe(weights[index]);
      }),
    );
  });

  test('any number of picks over equal backends differ by at most one, also when some leave and return', () => {
    const stages = fc.array(fc.record({ mask, count: fc.nat(30) }), { maxLength: 8 });
    const weight = fc.integer({ min: 1, max: 256 });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 8 }), weight, stages, (k, weight, stages) => {
        const policy = make(poolOf(Array.from({ length: k }, () => weight)), smallScoreboard(), 0);
        for (const { mask, count } of stages) {
          const eligible = eligibleOf(chosen(k, mask));
          const counts = countOf(picks(policy, eligible, requests(count)));
          const numbers = [...eligible.indexes].map((index) => counts.get(index) ?? 0);
          expect(Math.max(...numbers) - Math.min(...numbers)).toBeLessThanOrEqual(1);
        }
      }),
    );
  });

  test('no backend is ever a full turn ahead of its share', () => {
    const weights = fc.array(fc.integer({ min: 1, max: 256 }), { minLength: 2, maxLength: 8 });
    fc.assert(
      fc.property(weights, (weights) => {
        const pool = poolOf(weights);
        const total = weights.reduce((sum, weight) => sum + weight, 0);
        const counts = weights.map(() => 0);
        for (const [at, index] of picks(
          make(pool, smallScoreboard(), 0),
          everyone(pool),
          requests(total),
        ).entries()) {
          counts[index] = (counts[index] ?? 0) + 1;
          expect(counts[index] - ((at + 1) * (weights[index] ?? 0)) / total).toBeLessThan(1);
        }
      }),
    );
  });

  test('retries take no turn from new requests', () => {
    const policy = make(poolOf([1, 1, 1]), smallScoreboard(), 0);
    const all = [0, 1, 2];
    const first = requests(30).map((request) => {
      const index = policy.pick(eligibleOf(all), request);
      const others = all.filter((other) => other !== index);
      const next = policy.pick(eligibleOf(others, true), request);
      const last = others.filter((other) => other !== next);
      policy.pick(eligibleOf(last, true), request);
      return index;
    });
    expect(countOf(first)).toEqual(new Map(all.map((index) => [index, 10])));
  });

  test('is exact over threads that pick at the same time', async () => {
    const weights = [2, 3, 4];
    const pool = poolOf(weights);
    const { buffer } = smallScoreboard();
    const gate = new Int32Array(new SharedArrayBuffer(8));
    // No whole number of rounds for a thread alone, but 1,667 for all three.
    const task: PickerTask = { buffer, policy: name, pool, count: 5_001, gate, threads: 3 };
    const picked = await Promise.all([1, 2, 3].map(() => pickedBy(task)));
    expect(picked.map(({ length }) => length)).toEqual([5_001, 5_001, 5_001]);
    expect(countOf(picked.flat())).toEqual(new Map(weights.map((weight, at) => [at, weight * 1_667])));
  });
}

/** By what runs; where nothing runs, all are alike. */
export function loadContract(make: PolicyFactory): void {
  test.each(someWeights)('shares out sessions that stay by weight: $weights', ({ weights }) => {
    const board = smallScoreboard();
    const pool = poolOf(weights);
    stay(make, pool, board, 3_000);
    const counts = new Map(pool.backends.map(({ index }) => [index, board.active(index)]));
    expect(misfit(counts, pool)).toBeLessThan(1);
  });

  test('makes up for weights that change while sessions stay', () => {
    const board = smallScoreboard();
    stay(make, poolOf([1, 1, 1]), board, 300);
    const pool = poolOf([1, 2, 3]);
    stay(make, pool, board, 900);
    const counts = new Map(pool.backends.map(({ index }) => [index, board.active(index)]));
    expect(misfit(counts, pool)).toBeLessThan(1);
  });

  test.each(evenWeights)('gives equal backends without sessions equal shares: $weights', ({ weights }) => {
    const pool = poolOf(weights);
    const counts = countOf(picks(make(pool, smallScoreboard(), 0), everyone(pool), requests(6_000)));
    expect(misfit(counts, pool)).toBeLessThan(1);
  });
}

/** By place. */
export function orderContract(make: PolicyFactory): void {
  test('picks the first one that is eligible, whatever it weighs', () => {
    const policy = make(poolOf([1, 256, 16]), smallScoreboard(), 0);
    for (const indexes of [[0, 1, 2], [1, 2], [0, 2], [2]]) {
      expect(new Set(picks(policy, eligibleOf(indexes), requests(20)))).toEqual(new Set(indexes.slice(0, 1)));
    }
  });
}

/** Picks for sessions that begin in two workers and do not end. */
function stay(make: PolicyFactory, pool: Pool, board: Scoreboard, sessions: number): void {
  const policy = make(pool, board, 0);
  const writers = [board.writer(0), board.writer(1)];
  for (const [at, request] of requests(sessions).entries()) {
    writers[at % 2]?.sessionStarted(0, policy.pick(everyone(pool), request));
  }
}

async function pickedBy(task: PickerTask): Promise<number[]> {
  const worker = new Worker(new URL('./policy-picker.ts', import.meta.url), { workerData: task });
  const [picked] = (await once(worker, 'message')) as [number[]];
  await worker.terminate();
  return picked;
}
