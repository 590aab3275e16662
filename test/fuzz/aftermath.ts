import { expect } from 'vitest';
import type { Lab } from '../helpers/lab.ts';

/** The longest that anything may last: six times the largest timeout that can be granted, and the dallying after it. */
const longest = 6 * 255_000 + 60_000;
/** Datagrams that answer each other for ever end here. */
export const maxSteps = 1_000_000;

/** Lets every time-out pass after the peers have fallen silent, and holds the engine to what must be left: nothing. */
export function expectNothingLeft(lab: Lab, backends: number, listeners = 1): void {
  lab.net.advance(longest, maxSteps);
  expect(lab.balancer.openSockets, 'nothing but listeners is open').toBe(listeners);
  expect(lab.ends.length, 'each session that began has ended once').toBe(lab.of('session.start').length);
  for (let n = 0; n < backends; n++) {
    expect([lab.scoreboard.holders(n), lab.scoreboard.active(n)], `backend ${n} is held by nobody`).toEqual([
      0, 0,
    ]);
  }
  expect(lab.scoreboard.activeOf(0)).toBe(0);
  lab.engine.stop();
  expect(lab.balancer.openSockets).toBe(0);
  lab.net.advance(longest, maxSteps);
  expect(lab.net.pendingTimers).toBe(0);
}
