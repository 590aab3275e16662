import { describe, expect, test } from 'vitest';
import { Scoreboard } from '../../../src/balance/scoreboard.ts';
import { TwoChoices } from '../../../src/balance/two-choices.ts';
import { eligibleOf, poolOf, smallScoreboard } from '../../helpers/pools.ts';

function picked(policy: TwoChoices, indexes: readonly number[], count: number): number[] {
  return Array.from({ length: count }, () => policy.pick(eligibleOf(indexes)));
}

describe('two choices', () => {
  test('of two, takes the one with less to do for its weight, which workers see of each other', () => {
    const board = smallScoreboard();
    const policy = new TwoChoices(poolOf([1, 3]), Scoreboard.attach(board.buffer), 0);
    const writer = board.writer(1);
    for (let session = 0; session < 3; session += 1) writer.sessionStarted(0, 1);
    expect(new Set(picked(policy, [0, 1], 50))).toEqual(new Set([0]));
    writer.sessionStarted(0, 0);
    expect(new Set(picked(policy, [0, 1], 50))).toEqual(new Set([1]));
  });

  test('of many, leaves out the one with most to do, and does not run to the one with least', () => {
    const board = smallScoreboard();
    const busy = [9, 5, 5, 5, 0];
    for (const [index, sessions] of busy.entries()) {
      for (let session = 0; session < sessions; session += 1) board.writer(0).sessionStarted(0, index);
    }
    const policy = new TwoChoices(poolOf([1, 1, 1, 1, 1]), board, 0);
    const all = picked(policy, [0, 1, 2, 3, 4], 1_000);
    expect(new Set(all)).toEqual(new Set([1, 2, 3, 4]));
    // Drawn with one of the four others in two of five cases.
    expect(all.filter((index) => index === 4).length / all.length).toBeCloseTo(2 / 5, 1);
  });

  test('draws the strong more often than the weak', () => {
    const policy = new TwoChoices(poolOf([1, 1, 1, 1, 16]), smallScoreboard(), 0);
    const weak = picked(policy, [0, 1, 2, 3, 4], 1_000).filter((index) => index < 4);
    expect(weak.length).toBeLessThan(50);
  });

  test('does not draw in step with another worker, nor for retries in step with new requests', () => {
    const board = smallScoreboard();
    const indexes = [0, 1, 2, 3, 4, 5, 6, 7];
    const pool = poolOf(indexes.map(() => 1));
    const workers = [1, 2].map(() => new TwoChoices(pool, Scoreboard.attach(board.buffer), 0));
    const [one = [], other = []] = workers.map((policy) => picked(policy, indexes, 20));
    expect(other).not.toEqual(one);
    const alone = picked(new TwoChoices(pool, smallScoreboard(), 0), indexes, 40);
    expect([...one, ...other]).toEqual(alone);

    const retrying = new TwoChoices(pool, smallScoreboard(), 0);
    const between = alone.map(() => {
      const index = retrying.pick(eligibleOf(indexes));
      retrying.pick(eligibleOf(indexes, true));
      return index;
    });
    expect(between).toEqual(alone);
  });
});
