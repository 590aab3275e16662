import { describe, expect, test } from 'vitest';
import { type Backend, isSamePool, type Pool, weightsByIndex } from '../../../src/balance/pool.ts';
import { poolOf } from '../../helpers/pools.ts';

describe('a pool is the same', () => {
  const pool = poolOf([1, 2, 3]);
  const changed = (change: Partial<Backend>): Pool => ({
    backends: pool.backends.map((backend, at) =>
      at === 1 ? Object.assign({ ...backend }, change) : backend,
    ),
  });

  test('as a copy of it', () => {
    expect(isSamePool(pool, structuredClone(pool))).toBe(true);
  });

  test.each<Partial<Backend>>([
    { name: 'x' },
    { address: '192.0.2.9' },
    { port: 70 },
    { weight: 9 },
    { index: 9 },
  ])('no more with %j', (change) => {
    expect(isSamePool(pool, changed(change))).toBe(false);
  });

  test('no more with one backend less or more, or in another order', () => {
    const [one, other, third] = pool.backends as [Backend, Backend, Backend];
    const fewer = { backends: [one, other] };
    expect([isSamePool(pool, fewer), isSamePool(fewer, pool)]).toEqual([false, false]);
    expect(isSamePool(pool, { backends: [other, one, third] })).toBe(false);
  });
});

test('weights stand at the indexes of their backends', () => {
  expect([...weightsByIndex(poolOf([4, 5], 2))]).toEqual([0, 0, 4, 5]);
  expect([...weightsByIndex({ backends: [] })]).toEqual([]);
});
