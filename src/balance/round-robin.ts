import type { Eligible, Policy, Pool } from './pool.ts';
import type { Scoreboard } from './scoreboard.ts';
import { WeightedSchedule } from './weighted-schedule.ts';

/**
 * Weighted round robin that is exact across workers: all of them take their turns from one cursor into the same
 * schedule. While the eligible backends stay the same, any N picks in a row over equal backends differ by at most one.
 *
 * Retries have a cursor and a schedule of their own. With one cursor for both, requests that are always retried the
 * same number of times would keep step with the schedule, and every one of them would begin at the same backend.
 */
export class RoundRobin implements Policy {
  readonly #scoreboard: Scoreboard;
  readonly #service: number;
  readonly #schedule: WeightedSchedule;
  readonly #retrySchedule: WeightedSchedule;

  constructor(pool: Pool, scoreboard: Scoreboard, service: number) {
    this.#scoreboard = scoreboard;
    this.#service = service;
    this.#schedule = new WeightedSchedule(pool);
    this.#retrySchedule = new WeightedSchedule(pool);
  }

  pick(eligible: Eligible): number {
    return eligible.retry
      ? this.#retrySchedule.at(this.#scoreboard.nextRetryTurn(this.#service), eligible)
      : this.#schedule.at(this.#scoreboard.nextTurn(this.#service), eligible);
  }
}
