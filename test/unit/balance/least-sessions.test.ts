import { describe, expect, test } from 'vitest';
import { LeastSessions } from '../../../src/balance/least-sessions.ts';
import { Scoreboard } from '../../../src/balance/scoreboard.ts';
import { eligibleOf, poolOf, smallScoreboard } from '../../helpers/pools.ts';

/** Picks for `count` sessions that begin and stay; returns how many each backend has then. */
function fill(weights: readonly number[], count: number, scoreboard = smallScoreboard()): number[] {
  const policy = new LeastSessions(poolOf(weights), scoreboard, 0);
  const writer = scoreboard.writer(0);
  const all = eligibleOf(weights.map((_, at) => at));
  for (let session = 0; session < count; session += 1) writer.sessionStarted(0, policy.pick(all));
  return weights.map((_, at) => scoreboard.active(at));
}

describe('least sessions', () => {
  test.each([
    [[1, 1, 1], 9, [3, 3, 3]],
    [[1, 2, 3], 12, [2, 4, 6]],
    [[256, 1], 257, [256, 1]],
    [[1, 5], 3, [0, 3]],
  ])('fills weights %j with %i sessions as %j', (weights, count, expected) => {
    expect(fill(weights, count)).toEqual(expected);
  });

  test('prefers whoever has become free, whatever the turn', () => {
    const board = smallScoreboard();
    fill([1, 1, 1], 9, board);
    board.writer(0).sessionEnded(0, 1);
    const policy = new LeastSessions(poolOf([1, 1, 1]), board, 0);
    const all = eligibleOf([0, 1, 2]);
    expect([1, 2, 3].map(() => policy.pick(all))).toEqual([1, 1, 1]);
  });

  test('counts the sessions of every worker', () => {
    const board = smallScoreboard();
    const policy = new LeastSessions(poolOf([1, 1]), Scoreboard.attach(board.buffer), 0);
    board.writer(1).sessionStarted(0, 0);
    const all = eligibleOf([0, 1]);
    expect([policy.pick(all), policy.pick(all)]).toEqual([1, 1]);
  });

  test('lets equal ones take turns, also when others are busy in between', () => {
    const board = smallScoreboard();
    board.writer(0).sessionStarted(0, 1);
    const policy = new LeastSessions(poolOf([1, 1, 1]), board, 0);
    const picked = Array.from({ length: 6 }, () => policy.pick(eligibleOf([0, 1, 2])));
    expect(picked.filter((index) => index === 0)).toHaveLength(3);
    expect(picked.filter((index) => index === 2)).toHaveLength(3);
  });
});
