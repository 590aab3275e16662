/**
 * Which ports of a service's range are lent to passive listeners. All workers take from one pool, which lies in shared
 * memory and is changed with atomic operations alone.
 *
 * Nobody can foresee the port that comes next. So that a late connection finds nobody rather than another session, a
 * port that comes back rests while half of those that are free then are taken before it: it keeps the turn at which it
 * is due.
 *
 *   Int32  first port | number of ports | workers | free ports | turns taken so far
 *   Int32  per worker: listeners it has open
 *   Int32  per port: 0 free, else 1 + its worker
 *   Int32  per port: the turn at which it is due
 */
import type { PortRange } from './snapshot.ts';

const FREE = 3;
const TURN = 4;
const HEADER = 5;

/** Free ports that are looked at for one that is due. */
const maxLooks = 32;

/** A pool in which every port is free. Without a range it only counts, and the system chooses the ports. */
export function createPassivePool(range: PortRange | undefined, workers: number): SharedArrayBuffer {
  const count = range ? range.last - range.first + 1 : 0;
  const memory = new SharedArrayBuffer((HEADER + workers + 2 * count) * Int32Array.BYTES_PER_ELEMENT);
  new Int32Array(memory).set([range?.first ?? 0, count, workers, count]);
  return memory;
}

export class PassivePool {
  readonly range: PortRange | undefined;
  readonly #header: Int32Array;
  readonly #open: Int32Array;
  readonly #holders: Int32Array;
  readonly #due: Int32Array;
  readonly #worker: number;

  /** `memory` comes from createPassivePool and may be in use by other threads. `worker` is who takes and opens here. */
  constructor(memory: SharedArrayBuffer, worker: number) {
    this.#header = new Int32Array(memory, 0, HEADER);
    const [first = 0, count = 0, workers = 0] = this.#header;
    const sectionAt = (cells: number, length: number): Int32Array =>
      new Int32Array(memory, cells * Int32Array.BYTES_PER_ELEMENT, length);
    this.#open = sectionAt(HEADER, workers);
    this.#holders = sectionAt(HEADER + workers, count);
    this.#due = sectionAt(HEADER + workers + count, count);
    this.#worker = worker;
    this.range = count === 0 ? undefined : { first, last: first + count - 1 };
  }

  /** Ports that are listened on, by all workers. */
  get used(): number {
    return this.#open.reduce((sum, _, worker) => sum + Atomics.load(this.#open, worker), 0);
  }

  /** Ports of the range; undefined without one. */
  get size(): number | undefined {
    return this.range && this.#holders.length;
  }

  /** A port that is this worker's until it is given back; undefined if none is free. `random` is from 0 to below 1. */
  take(random: number): number | undefined {
    const start = Math.floor(random * this.#holders.length);
    for (let at = this.#find(start); at !== undefined; at = this.#find(start)) {
      if (Atomics.compareExchange(this.#holders, at, 0, this.#worker + 1) !== 0) continue;
      Atomics.sub(this.#header, FREE, 1);
      Atomics.add(this.#header, TURN, 1);
      return (this.range?.first ?? 0) + at;
    }
    return undefined;
  }

  giveBack(port: number): void {
    this.#release(port - (this.range?.first ?? 0));
  }

  opened(): void {
    Atomics.add(this.#open, this.#worker, 1);
  }

  closed(): void {
    Atomics.sub(this.#open, this.#worker, 1);
  }

  /** The worker is gone with its listeners. */
  clear(): void {
    Atomics.store(this.#open, this.#worker, 0);
    for (let at = 0; at < this.#holders.length; at++) {
      if (Atomics.load(this.#holders, at) === this.#worker + 1) this.#release(at);
    }
  }

  /** Of the free ports behind `start`: the first that is due, else, of those looked at, the one that soonest is. */
  #find(start: number): number | undefined {
    const count = this.#holders.length;
    const turn = Atomics.load(this.#header, TURN);
    let best: number | undefined;
    let least = Infinity;
    for (let step = 0, looks = 0; step < count && looks < maxLooks; step++) {
      const at = (start + step) % count;
      if (Atomics.load(this.#holders, at) !== 0) continue;
      looks += 1;
      // Both count past 2^31 and begin anew below 0.
      const wait = (Atomics.load(this.#due, at) - turn) | 0;
      if (wait <= 0) return at;
      if (wait >= least) continue;
      least = wait;
      best = at;
    }
    return best;
  }

  #release(at: number): void {
    const free = Atomics.add(this.#header, FREE, 1) + 1;
    Atomics.store(this.#due, at, Atomics.load(this.#header, TURN) + Math.ceil(free / 2));
    Atomics.store(this.#holders, at, 0);
  }
}
