import { type Eligible, type Pool, weightsByIndex } from './pool.ts';

/**
 * Smooth weighted round robin, worked out in advance: the sequence of backends for one list of eligible ones, in which
 * each has as many turns as its weight says, spread as evenly as can be. Equal lists give equal schedules in every
 * worker. After its construction it allocates nothing.
 *
 * In each step every backend earns its weight; the richest has the turn and pays what all have earned.
 */
export class WeightedSchedule {
  readonly #weights: Int32Array;
  readonly #turns: Int32Array;
  #length = 0;
  /** The list that the schedule is for: the first `#listed` entries. */
  readonly #list: Int32Array;
  #listed = 0;
  /** What each backend of the list has earned and not yet paid. */
  readonly #credit: Int32Array;

  constructor(pool: Pool) {
    this.#weights = weightsByIndex(pool);
    this.#turns = new Int32Array(pool.backends.reduce((sum, backend) => sum + backend.weight, 0));
    this.#list = new Int32Array(pool.backends.length);
    this.#credit = new Int32Array(pool.backends.length);
  }

  /** The scoreboard index of the backend whose turn it is. `turn` counts up from any number. */
  at(turn: number, eligible: Eligible): number {
    if (!this.#isFor(eligible)) this.#build(eligible);
    return this.#turns[turn % this.#length] ?? -1;
  }

  #isFor(eligible: Eligible): boolean {
    if (eligible.count !== this.#listed) return false;
    for (let at = 0; at < this.#listed; at += 1) {
      if (this.#list[at] !== eligible.indexes[at]) return false;
    }
    return true;
  }

  #build(eligible: Eligible): void {
    this.#listed = eligible.count;
    let total = 0;
    let divisor = 0;
    for (let at = 0; at < this.#listed; at += 1) {
      const index = eligible.indexes[at] ?? -1;
      this.#list[at] = index;
      this.#credit[at] = 0;
      total += this.#weightOf(index);
      divisor = greatestCommonDivisor(this.#weightOf(index), divisor);
    }
    this.#length = total / divisor;
    for (let turn = 0; turn < this.#length; turn += 1) this.#turns[turn] = this.#takeTurn(total);
  }

  #takeTurn(total: number): number {
    let richest = 0;
    for (let at = 0; at < this.#listed; at += 1) {
      this.#credit[at] = this.#creditAt(at) + this.#weightOf(this.#list[at] ?? -1);
      if (this.#creditAt(at) > this.#creditAt(richest)) richest = at;
    }
    this.#credit[richest] = this.#creditAt(richest) - total;
    return this.#list[richest] ?? -1;
  }

  #creditAt(at: number): number {
    return this.#credit[at] ?? 0;
  }

  #weightOf(index: number): number {
    return this.#weights[index] ?? 0;
  }
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
