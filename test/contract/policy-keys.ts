/** What policies promise that go by a key of the request. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { PolicyFactory } from '../../src/balance/policies.ts';
import type { Backend, PickRequest, Pool } from '../../src/balance/pool.ts';
import { eligibleOf, poolOf, smallScoreboard } from '../helpers/pools.ts';
import { countOf, everyone, misfit, picks, requests } from './policy-scene.ts';
import { someWeights } from './policy-shares.ts';

const wanted = requests(10_000);
/** The share of keys that may move without need when a pool changes, beyond what the sample itself is off by. */
const needless = 0.01;

/** `key` is the part of a request that counts. */
export function keyContract(make: PolicyFactory, key: keyof PickRequest): void {
  /** The name of each request's backend, where `eligible` may be picked. */
  const namesOf = (pool: Pool, isEligible: (backend: Backend) => boolean = () => true): string[] => {
    const names = new Map(pool.backends.map(({ index, name }) => [index, name]));
    const eligible = eligibleOf(pool.backends.filter(isEligible).map(({ index }) => index));
    const policy = make(pool, smallScoreboard(64), 0);
    return picks(policy, eligible, wanted).map((index) => names.get(index) ?? 'none');
  };

  test.each(someWeights)('shares out keys by weight: $weights', ({ weights }) => {
    const pool = poolOf(weights);
    const counts = countOf(picks(make(pool, smallScoreboard(), 0), everyone(pool), wanted));
    expect(misfit(counts, pool)).toBeLessThan(1);
  });

  test('goes by the key alone: not by turns, load, retries or the rest of the request', () => {
    const pool = poolOf([1, 2, 3, 4]);
    const board = smallScoreboard();
    const policy = make(pool, board, 0);
    const before = picks(policy, everyone(pool), wanted);
    board.writer(0).sessionStarted(0, before[0] ?? -1);
    const retried = { ...everyone(pool), retry: true };
    const others = wanted.map((request, at) => ({ ...requestOf(at), [key]: request[key] }));
    expect(picks(policy, retried, others)).toEqual(before);
  });

  test('takes an empty key like any other', () => {
    const pool = poolOf([1, 1]);
    const empty = { client: '', file: '', user: '' };
    expect([0, 1]).toContain(make(pool, smallScoreboard(), 0).pick(everyone(pool), empty));
  });

  test('the order in which backends are known, and their rows, have no say', () => {
    const pool = poolOf([5, 1, 3, 3, 2]);
    const before = namesOf(pool);
    const elsewhere = [3, 0, 4, 2, 1].flatMap((at) => pool.backends[at] ?? []);
    const reordered = { backends: elsewhere.map((backend, at) => withIndex(backend, 40 - 7 * at)) };
    expect(namesOf(reordered)).toEqual(before);
    expect(namesOf(reordered, isNotB3)).toEqual(namesOf(pool, isNotB3));
  });

  test.each([2, 3, 5, 10, 30])('with and without one of %i equal backends, only its keys differ', (count) => {
    const pool = poolOf(Array.from({ length: count }, () => 1));
    const before = namesOf(pool);
    for (const gone of [0, count - 1]) {
      const after = namesOf(without(pool, gone));
      const theirs = before.filter((name) => name === `b${gone}`).length;
      expect(Math.abs(theirs / wanted.length - 1 / count)).toBeLessThan(0.02);
      expect(movedBetween(before, after) - theirs / wanted.length).toBeLessThan(needless);
    }
  });

  test('a weight that changes moves the keys that it is about', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 16 }), { minLength: 2, maxLength: 12 }),
        fc.integer({ min: 1, max: 16 }),
        (weights, weight) => {
          const pools = [poolOf(weights), poolOf([weight, ...weights.slice(1)])] as const;
          const moved = movedBetween(namesOf(pools[0]), namesOf(pools[1]));
          const [before, after] = pools.map(shareOfFirst);
          // What the sample itself is off by: three standard deviations of a share.
          const noise = 3 * Math.sqrt(0.25 / wanted.length);
          expect(moved - Math.abs((before ?? 0) - (after ?? 0))).toBeLessThan(needless + noise);
        },
      ),
      { seed: 42, numRuns: 15 },
    );
  });

  test('who is not eligible loses its keys and takes nobody else’s', () => {
    const pool = poolOf([1, 2, 3, 4, 5, 6, 7, 8]);
    const before = namesOf(pool);
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 255 }), (mask) => {
        const isIn = ({ index }: Backend): boolean => (mask & (1 << index)) !== 0;
        const names = new Set(pool.backends.filter(isIn).map(({ name }) => name));
        const after = namesOf(pool, isIn);
        expect(after.filter((name) => !names.has(name))).toEqual([]);
        expect(after.filter((_, at) => names.has(before[at] ?? ''))).toEqual(
          before.filter((name) => names.has(name)),
        );
      }),
      { numRuns: 15 },
    );
  });

  test.each(someWeights.filter(({ weights }) => weights.length > 2))(
    'the keys of one that is not eligible spread over the others by weight: $weights',
    ({ weights }) => {
      const pool = poolOf(weights);
      for (const gone of pool.backends) {
        const policy = make(pool, smallScoreboard(), 0);
        const theirs = wanted.filter((request) => policy.pick(everyone(pool), request) === gone.index);
        const others = { backends: pool.backends.filter((backend) => backend !== gone) };
        expect(misfit(countOf(picks(policy, everyone(others), theirs)), others)).toBeLessThan(1);
      }
    },
  );
}

function requestOf(at: number): PickRequest {
  return { client: `192.0.2.${at % 256}`, file: `other/${at}`, user: `other${at}` };
}

function isNotB3({ name }: Backend): boolean {
  return name !== 'b3';
}

function withIndex(backend: Backend, index: number): Backend {
  return { ...backend, index };
}

function without({ backends }: Pool, gone: number): Pool {
  return { backends: backends.filter(({ index }) => index !== gone) };
}

/** 0 to 1. */
function movedBetween(before: readonly string[], after: readonly string[]): number {
  return before.filter((name, at) => name !== after[at]).length / before.length;
}

function shareOfFirst({ backends }: Pool): number {
  return (backends[0]?.weight ?? 0) / backends.reduce((sum, { weight }) => sum + weight, 0);
}
