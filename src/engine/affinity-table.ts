/**
 * Which backend a client had last, by the backend's name, and when: one number each. What two workers write at the same
 * time into one place may mix. It does not fit its check then, and counts as absent.
 *
 *   place  tag | hash of the name | milliseconds | check
 */
import { AddressTable, createAddressTable, ways } from './address-table.ts';
import type { AddressWords } from './address-words.ts';

const cells = 4;
const allBits = 128;
/** Milliseconds by which the clock of one worker may be behind that of another. */
const skew = 1_000;

/** Nobody is known. `random` is from 0 to below 1. */
export function createAffinityTable(random: number): SharedArrayBuffer {
  return createAddressTable(cells, random);
}

export class AffinityTable {
  readonly #table: AddressTable;

  /** `memory` comes from createAffinityTable. */
  constructor(memory: SharedArrayBuffer) {
    this.#table = new AddressTable(memory, cells);
  }

  /** The hash of the backend that the client had within the last `duration`, or -1. Times in milliseconds. */
  backendOf(client: AddressWords, key: number, now: number, duration: number): number {
    const place = this.#table.find(client, allBits, key);
    if (place < 0) return -1;
    const { cells: memory, tag } = this.#table;
    const backend = Atomics.load(memory, place + 1);
    const time = Atomics.load(memory, place + 2);
    if (Atomics.load(memory, place + 3) !== checkOf(tag, backend, time)) return -1;
    const age = (now - time) | 0;
    return age >= -skew && age <= duration ? backend : -1;
  }

  remember(client: AddressWords, key: number, backend: number, now: number): void {
    const found = this.#table.find(client, allBits, key);
    const place = found < 0 ? this.#oldest(now) : found;
    const { cells: memory, tag } = this.#table;
    const time = now | 0;
    Atomics.store(memory, place, tag);
    Atomics.store(memory, place + 1, backend);
    Atomics.store(memory, place + 2, time);
    Atomics.store(memory, place + 3, checkOf(tag, backend, time));
  }

  #oldest(now: number): number {
    const { cells: memory } = this.#table;
    let best = this.#table.placeOf(0);
    let greatest = -Infinity;
    for (let way = 0; way < ways; way += 1) {
      const place = this.#table.placeOf(way);
      if (Atomics.load(memory, place) === 0) return place;
      const age = (now - Atomics.load(memory, place + 2)) | 0;
      if (age <= greatest) continue;
      greatest = age;
      best = place;
    }
    return best;
  }
}

function checkOf(tag: number, backend: number, time: number): number {
  return ~(tag ^ (backend << 1) ^ (time << 2));
}
