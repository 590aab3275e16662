import { hashOf } from './hash.ts';
import { maglevSlots, maglevTable, nextSlot, stepOf } from './maglev.ts';
import type { Eligible, PickRequest, Policy, Pool } from './pool.ts';

/**
 * The same key, the same backend: in every worker, on every machine that knows the same backends, and for nearly all
 * keys also when another backend comes or goes. Weights say how many of the keys a backend has.
 *
 * A key whose backend is not eligible goes on through the table, on a way of its own, to the first one that is. So the
 * keys of one backend spread over all others by weight, and return when it is back. Walking on to the next slot would not
 * do: the table is made of regular steps, and slots that stand side by side are related.
 */
export class KeyHash implements Policy {
  readonly #slots: Int32Array;
  readonly #keyOf: (request: PickRequest) => string;

  constructor(pool: Pool, keyOf: (request: PickRequest) => string) {
    this.#slots = maglevTable(pool);
    this.#keyOf = keyOf;
  }

  pick(eligible: Eligible, request: PickRequest): number {
    const hash = hashOf(this.#keyOf(request));
    const step = stepOf(hash);
    let slot = hash % maglevSlots;
    for (let left = maglevSlots; left > 0; left -= 1) {
      const index = this.#slots[slot] ?? -1;
      if (isAmong(index, eligible)) return index;
      slot = nextSlot(slot, step);
    }
    return -1;
  }
}

function isAmong(index: number, { indexes, count }: Eligible): boolean {
  for (let at = 0; at < count; at += 1) {
    if (indexes[at] === index) return true;
  }
  return false;
}
