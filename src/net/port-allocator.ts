/**
 * Lends local ports so that none is lent twice while it is held. Each port rests for as long as possible: the
 * search goes round the range and starts where the last one ended, so a late datagram for an ended session finds
 * nobody.
 *
 * The table lies in shared memory and is changed with atomic operations alone, so threads that share it never hold
 * the same port.
 *
 *   Int32  first port | number of ports | cursor | ports held
 *   Int32  one per port: 0 free, 1 held
 */
const FIRST = 0;
const COUNT = 1;
const CURSOR = 2;
const HELD = 3;
const HEADER = 4;

/** Inclusive on both sides. */
export interface PortSpan {
  readonly first: number;
  readonly last: number;
}

/** A new table in which every port is free. `random` decides where the search starts. */
export function createPortTable(span: PortSpan, random: () => number): SharedArrayBuffer {
  const { first, last } = span;
  if (!Number.isInteger(first) || !Number.isInteger(last) || first < 1 || last > 65535 || first > last) {
    throw new RangeError(`${first}-${last} is not a range of ports`);
  }
  const count = last - first + 1;
  const table = new SharedArrayBuffer((HEADER + count) * Int32Array.BYTES_PER_ELEMENT);
  const cells = new Int32Array(table);
  cells[FIRST] = first;
  cells[COUNT] = count;
  cells[CURSOR] = Math.floor(random() * count);
  return table;
}

export class PortAllocator {
  readonly #cells: Int32Array;
  readonly #first: number;
  readonly #count: number;

  /** `table` comes from createPortTable and may be in use by other threads. */
  constructor(table: SharedArrayBuffer) {
    this.#cells = new Int32Array(table);
    this.#first = Atomics.load(this.#cells, FIRST);
    this.#count = Atomics.load(this.#cells, COUNT);
  }

  /** Ports that are lent now, by all threads together. */
  get held(): number {
    return Atomics.load(this.#cells, HELD);
  }

  /** A free port that is the caller's until it is given back, or undefined if all are held. */
  take(): number | undefined {
    for (let tries = 0; tries < this.#count && this.held < this.#count; tries++) {
      const turn = (Atomics.add(this.#cells, CURSOR, 1) >>> 0) % this.#count;
      if (Atomics.compareExchange(this.#cells, HEADER + turn, 0, 1) === 0) {
        Atomics.add(this.#cells, HELD, 1);
        return this.#first + turn;
      }
    }
    return undefined;
  }

  /** Giving back a port that is not held changes nothing. */
  giveBack(port: number): void {
    const turn = port - this.#first;
    if (turn < 0 || turn >= this.#count) return;
    if (Atomics.compareExchange(this.#cells, HEADER + turn, 1, 0) === 1) Atomics.sub(this.#cells, HELD, 1);
  }
}
