import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createPassivePool, PassivePool } from '../../../src/engine/passive-pool.ts';

/** Pools of workers that share `count` ports from 2000 on. */
function pools(count: number, workers: number): PassivePool[] {
  const memory = createPassivePool({ first: 2000, last: 1999 + count }, workers);
  return Array.from({ length: workers }, (_, worker) => new PassivePool(memory, worker));
}

function takeAll(pool: PassivePool, random = 0.5): number[] {
  const taken: number[] = [];
  for (let port = pool.take(random); port !== undefined; port = pool.take(random)) taken.push(port);
  return taken;
}

describe('a pool of passive ports', () => {
  it('knows its range and how much of it is used, whoever opened it', () => {
    const [one, other] = pools(10, 2);
    expect([one?.range, one?.size, one?.used]).toEqual([{ first: 2000, last: 2009 }, 10, 0]);
    one?.opened();
    other?.opened();
    other?.opened();
    one?.closed();
    expect([one?.used, other?.used]).toEqual([2, 2]);
  });

  it('without a range has no ports, and counts', () => {
    const pool = new PassivePool(createPassivePool(undefined, 1), 0);
    pool.opened();
    expect([pool.range, pool.size, pool.take(0.5), pool.used]).toEqual([undefined, undefined, undefined, 1]);
  });

  it('lets chance decide which port comes next', () => {
    const [pool] = pools(1000, 1);
    expect([0, 0.25, 0.999].map((random) => pool?.take(random))).toEqual([2000, 2250, 2999]);
  });

  it('lends the port that is due first where none is due', () => {
    const [pool] = pools(3, 1);
    if (!pool) throw new Error('no pool');
    expect(takeAll(pool)).toHaveLength(3);
    for (const port of [2001, 2002, 2000]) pool.giveBack(port);
    expect(pool.take(0)).toBe(2001);
  });

  it('takes back what a worker had that is gone, and leaves the others what they have', () => {
    const [gone, other] = pools(4, 2);
    const kept = other?.take(0);
    other?.opened();
    for (let n = 0; n < 3; n += 1) gone?.take(0.5);
    gone?.opened();
    expect(other?.take(0)).toBeUndefined();
    gone?.clear();
    expect(other?.used).toBe(1);
    if (!other) throw new Error('no pool');
    const rest = [2000, 2001, 2002, 2003].filter((port) => port !== kept);
    expect(new Set(takeAll(other))).toEqual(new Set(rest));
  });

  it('never lends a port twice, and has every port that nobody holds', () => {
    const steps = fc.array(
      fc.record({ who: fc.nat(2), what: fc.nat(9), random: fc.double({ min: 0, max: 0.999, noNaN: true }) }),
      { maxLength: 100 },
    );
    fc.assert(
      fc.property(steps, fc.integer({ min: 1, max: 12 }), (steps, count) => {
        const workers = pools(count, 3);
        const held = workers.map(() => new Set<number>());
        for (const { who, what, random } of steps) {
          const [pool, own] = [workers[who], held[who]];
          if (!pool || !own) throw new Error('no such worker');
          const [first] = own;
          if (what === 0) {
            pool.clear();
            own.clear();
          } else if (what < 4 && first !== undefined) {
            pool.giveBack(first);
            own.delete(first);
          } else {
            const isHeld = (port: number): boolean => held.some((ports) => ports.has(port));
            const port = pool.take(random);
            const taken = held.reduce((sum, { size }) => sum + size, 0);
            expect(port === undefined).toBe(taken === count);
            if (port === undefined) continue;
            expect(isHeld(port)).toBe(false);
            own.add(port);
          }
        }
      }),
    );
  });
});
