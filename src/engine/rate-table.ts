/**
 * How often addresses may ask: each has a bucket with room for `burst` tokens into which `perSecond` tokens drip, and a
 * request takes one. In the form of the generic cell rate algorithm (ITU-T I.371) a bucket is one number, the time at
 * which it will be full again, in sixteenths of the time that a token takes.
 */
import { AddressTable, createAddressTable, ways } from './address-table.ts';
import type { AddressWords } from './address-words.ts';
import type { RequestRate } from './snapshot.ts';

const cells = 2;
/** Ticks of a token. */
const token = 16;

/** Every bucket is full. `random` is from 0 to below 1. */
export function createRateTable(random: number): SharedArrayBuffer {
  return createAddressTable(cells, random);
}

export class RateTable {
  readonly #table: AddressTable;
  readonly #ticksPerMillisecond: number;
  readonly #room: number;

  /** `memory` comes from createRateTable. */
  constructor(memory: SharedArrayBuffer, { perSecond, burst }: RequestRate) {
    this.#table = new AddressTable(memory, cells);
    this.#ticksPerMillisecond = (perSecond * token) / 1_000;
    this.#room = burst * token;
  }

  /**
   * Takes a token of the leading `bits` of an address. Returns whether there was one. `now` in milliseconds, of a clock
   * that all workers share.
   */
  take(address: AddressWords, bits: number, now: number): boolean {
    const tick = Math.floor(now * this.#ticksPerMillisecond) | 0;
    let place = this.#table.find(address, bits, 0);
    if (place < 0) place = this.#enter(tick);
    const { cells: memory } = this.#table;
    for (;;) {
      const before = Atomics.load(memory, place + 1);
      const missing = this.#missing(before, tick);
      if (missing + token > this.#room) return false;
      const after = (tick + missing + token) | 0;
      if (Atomics.compareExchange(memory, place + 1, before, after) === before) return true;
    }
  }

  /** A full bucket in the place of the one that is the next to be full, which is as good as forgotten. */
  #enter(tick: number): number {
    const { cells: memory, tag } = this.#table;
    let best = this.#table.placeOf(0);
    let least = Infinity;
    for (let way = 0; way < ways; way += 1) {
      const place = this.#table.placeOf(way);
      const missing = this.#missing(Atomics.load(memory, place + 1), tick);
      if (missing >= least) continue;
      least = missing;
      best = place;
    }
    Atomics.store(memory, best + 1, tick);
    Atomics.store(memory, best, tag);
    return best;
  }

  /** Ticks until the bucket is full. Ticks begin anew after 2^32, so what no bucket can miss is from long ago. */
  #missing(full: number, tick: number): number {
    const missing = (full - tick) | 0;
    return missing < 0 || missing > this.#room ? 0 : missing;
  }
}
