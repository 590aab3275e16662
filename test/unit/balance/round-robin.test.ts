import { describe, expect, test } from 'vitest';
import type { Eligible } from '../../../src/balance/pool.ts';
import { RoundRobin } from '../../../src/balance/round-robin.ts';
import { Scoreboard } from '../../../src/balance/scoreboard.ts';
import { Selector } from '../../../src/balance/selector.ts';
import { WeightedSchedule } from '../../../src/balance/weighted-schedule.ts';
import { eligibleOf, poolOf, smallScoreboard } from '../../helpers/pools.ts';

const request = { client: '198.51.100.7', file: '', user: '' };

function sequence(schedule: WeightedSchedule, eligible: Eligible, length: number, from = 0): string {
  return Array.from({ length }, (_, turn) => schedule.at(from + turn, eligible)).join('');
}

describe('the schedule', () => {
  test.each([
    [[1, 1, 1], '012012'],
    [[5, 1, 1], '0010200'],
    [[1, 2, 3], '210212'],
    [[2, 4], '101101'],
    [[256, 256], '0101'],
    [[7], '000'],
  ])('spreads weights %j as %s', (weights, expected) => {
    const eligible = eligibleOf(weights.map((_, at) => at));
    expect(sequence(new WeightedSchedule(poolOf(weights)), eligible, expected.length)).toBe(expected);
  });

  test('goes round from any turn, up to the last one before the cursor begins anew', () => {
    const schedule = new WeightedSchedule(poolOf([1, 1, 1]));
    expect(sequence(schedule, eligibleOf([0, 1, 2]), 4, 2 ** 32 - 4)).toBe('0120');
  });

  test('is worked out anew for another list, of the same length too', () => {
    const schedule = new WeightedSchedule(poolOf([1, 2, 1]));
    expect(sequence(schedule, eligibleOf([0, 1]), 3)).toBe('101');
    expect(sequence(schedule, eligibleOf([0, 2]), 3)).toBe('020');
    expect(sequence(schedule, eligibleOf([0, 1]), 3)).toBe('101');
  });
});

describe('round robin', () => {
  test('is exact over workers that take turns in any order', () => {
    const board = smallScoreboard();
    const pool = poolOf([1, 1, 1]);
    const workers = [1, 2, 3].map(() => new RoundRobin(pool, Scoreboard.attach(board.buffer), 0));
    const order = [0, 0, 1, 2, 2, 2, 1, 0, 1, 1, 0, 2];
    const picked = order.map((worker) => workers[worker]?.pick(eligibleOf([0, 1, 2])));
    expect(picked).toEqual([0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1, 2]);
  });

  test('services do not take each other their turns', () => {
    const board = smallScoreboard();
    const [one, other] = [0, 1].map((service) => new RoundRobin(poolOf([1, 1]), board, service));
    const all = eligibleOf([0, 1]);
    expect([one?.pick(all), other?.pick(all), one?.pick(all), other?.pick(all)]).toEqual([0, 0, 1, 1]);
  });

  test('behind a selector, stays exact while backends leave and return', () => {
    const board = smallScoreboard();
    const pool = poolOf([1, 1, 1, 1]);
    const selector = new Selector(pool, new RoundRobin(pool, board, 0), board, 0);
    const countsOf = (picks: number): number[] => {
      const counts = [0, 0, 0, 0];
      for (let at = 0; at < picks; at += 1) {
        const index = selector.select(request, []);
        counts[index] = (counts[index] ?? 0) + 1;
      }
      return counts.sort((a, b) => a - b);
    };
    expect(countsOf(10)).toEqual([2, 2, 3, 3]);
    board.setEjected(2, true);
    expect(countsOf(10)).toEqual([0, 3, 3, 4]);
    board.setUp(0, false);
    expect(countsOf(7)).toEqual([0, 0, 3, 4]);
    board.setEjected(2, false);
    board.setUp(0, true);
    expect(countsOf(9)).toEqual([2, 2, 2, 3]);
  });
});
