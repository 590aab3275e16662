import { mix } from './hash.ts';
import { type Eligible, type Policy, type Pool, weightsByIndex } from './pool.ts';
import type { Scoreboard } from './scoreboard.ts';

/**
 * Draws two backends, each as likely as its weight says, and takes the one that would have fewer active sessions for
 * its weight with one more. Unlike the least of all, which everybody chooses, this needs no fresh counts: balancers
 * that do not see each other's sessions do not all run to the backend that has just become free.
 *
 * What is drawn follows from the service's turn. No two picks have the same turn, so workers never draw in step.
 */
export class TwoChoices implements Policy {
  readonly #scoreboard: Scoreboard;
  readonly #service: number;
  readonly #weights: Int32Array;

  constructor(pool: Pool, scoreboard: Scoreboard, service: number) {
    this.#scoreboard = scoreboard;
    this.#service = service;
    this.#weights = weightsByIndex(pool);
  }

  pick(eligible: Eligible): number {
    const turn = eligible.retry
      ? this.#scoreboard.nextRetryTurn(this.#service)
      : this.#scoreboard.nextTurn(this.#service);
    const drawn = mix(turn);
    const one = this.#draw(drawn, eligible, -1);
    if (eligible.count === 1) return one;
    const other = this.#draw(mix(drawn + 1), eligible, one);
    return this.#isIdler(other, one) ? other : one;
  }

  /** The backend at `drawn` where the weights of all eligible ones but `without` stand in a row, again and again. */
  #draw(drawn: number, { indexes, count }: Eligible, without: number): number {
    let total = 0;
    for (let at = 0; at < count; at += 1) total += this.#weightOf(indexes[at] ?? -1, without);
    let left = drawn % total;
    for (let at = 0; at < count; at += 1) {
      const index = indexes[at] ?? -1;
      left -= this.#weightOf(index, without);
      if (left < 0) return index;
    }
    return -1;
  }

  #weightOf(index: number, without: number): number {
    return index === without ? 0 : (this.#weights[index] ?? 0);
  }

  /** Whole numbers are compared, since a quotient that is returned is allocated. */
  #isIdler(one: number, other: number): boolean {
    const weight = this.#weights[one] ?? 0;
    const otherWeight = this.#weights[other] ?? 0;
    return (this.#scoreboard.active(one) + 1) * otherWeight < (this.#scoreboard.active(other) + 1) * weight;
  }
}
