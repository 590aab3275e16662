/**
 * Maglev hashing (Eisenbud et al., NSDI 2016, section 3.4), with weights. Each backend has a way of its own through all
 * slots of the table, which follows from its name alone. The backends take turns, as many as their weights say, and
 * each takes the next slot on its way that is still free.
 *
 * So each backend has its share of the slots, a changed pool moves little but what has to move, and machines that know
 * the same backends by the same names and weights have the same table, in whatever order they have found them.
 */
import { hashOf, mix } from './hash.ts';
import type { Backend, Pool } from './pool.ts';

/**
 * Slots in every table, whatever the pool: another size would move most keys. It is a prime, so that steps of any width
 * lead through all slots.
 */
export const maglevSlots = 65_537;

/** From one slot on the way of a hash to the next, where the way begins at `hash % maglevSlots`. */
export function stepOf(hash: number): number {
  // Mixed once more, since ways that begin alike shall not go on alike.
  return 1 + (mix(hash ^ 0x9e37_79b9) % (maglevSlots - 1));
}

/** The slot behind `slot`, past the end from the beginning again. */
export function nextSlot(slot: number, step: number): number {
  return slot + step < maglevSlots ? slot + step : slot + step - maglevSlots;
}

const free = -1;

/** The scoreboard index of each slot's backend. Each backend has one slot at least, so long as there are enough. */
export function maglevTable(pool: Pool): Int32Array {
  const slots = new Int32Array(maglevSlots).fill(free);
  const takers = pool.backends.toSorted(byName).map((backend) => new Taker(backend, slots));
  const fullTurn = Math.max(0, ...takers.map(({ weight }) => weight));
  // Everybody has a turn in the first round, so that nobody is too weak to be found.
  for (const taker of takers) taker.earned = fullTurn - taker.weight;
  for (let left = takers.length > 0 ? maglevSlots : 0; left > 0;) {
    for (const taker of takers) {
      taker.earned += taker.weight;
      if (taker.earned < fullTurn || left === 0) continue;
      taker.earned -= fullTurn;
      taker.takeSlot();
      left -= 1;
    }
  }
  return slots;
}

/** One backend while the table is filled. */
class Taker {
  readonly weight: number;
  /** Towards its next turn. */
  earned = 0;
  readonly #index: number;
  readonly #slots: Int32Array;
  readonly #step: number;
  #slot: number;

  constructor({ name, index, weight }: Backend, slots: Int32Array) {
    const hash = hashOf(name);
    this.weight = weight;
    this.#index = index;
    this.#slots = slots;
    this.#slot = hash % maglevSlots;
    this.#step = stepOf(hash);
  }

  takeSlot(): void {
    while (this.#slots[this.#slot] !== free) this.#slot = nextSlot(this.#slot, this.#step);
    this.#slots[this.#slot] = this.#index;
  }
}

/** By code units: no locale has a say. */
function byName(one: Backend, other: Backend): number {
  if (one.name === other.name) return 0;
  return one.name < other.name ? -1 : 1;
}
