import { type Eligible, type Policy, type Pool, weightsByIndex } from './pool.ts';
import type { Scoreboard } from './scoreboard.ts';

/**
 * The backend that, with one session more, would have the fewest active ones for its weight. Those that are equal in
 * this take turns. It counts the sessions of all workers, so that each of them sees what the others have done.
 */
export class LeastSessions implements Policy {
  readonly #scoreboard: Scoreboard;
  readonly #service: number;
  readonly #weights: Int32Array;
  /** The equal ones of one pick. */
  readonly #equal: Int32Array;

  constructor(pool: Pool, scoreboard: Scoreboard, service: number) {
    this.#scoreboard = scoreboard;
    this.#service = service;
    this.#weights = weightsByIndex(pool);
    this.#equal = new Int32Array(pool.backends.length);
  }

  pick({ indexes, count, retry }: Eligible): number {
    let least = Infinity;
    let equals = 0;
    for (let at = 0; at < count; at += 1) {
      const index = indexes[at] ?? -1;
      const load = (this.#scoreboard.active(index) + 1) / (this.#weights[index] ?? 1);
      if (load > least) continue;
      if (load < least) equals = 0;
      least = load;
      this.#equal[equals] = index;
      equals += 1;
    }
    const turn = retry
      ? this.#scoreboard.nextRetryTurn(this.#service)
      : this.#scoreboard.nextTurn(this.#service);
    return this.#equal[turn % equals] ?? -1;
  }
}
