/**
 * Lends local ports so that none is lent twice while it is held. Each port rests for as long as possible: the
 * search goes round the range and starts where the last one ended, so a late datagram for an ended session finds
 * nobody.
 *
 * The table lies in shared memory and is changed with atomic operations alone, so threads that share it never hold
 * the same port.
 *
 *   Int32  first port | number of ports | cursor | free ports
 *   Int32  one per port: 0 free, -1 never lent, else the number of its holder
 */
const FIRST = 0;
const COUNT = 1;
const CURSOR = 2;
const FREE = 3;
const HEADER = 4;

const NOBODY = 0;
const RESERVED = -1;

/** Inclusive on both sides. */
export interface PortSpan {
  readonly first: number;
  readonly last: number;
}

/**
 * A new table in which every port is free but those in `reserved`, which are never lent. `random` decides where the
 * search starts. Throws RangeError if `span` is no range of ports.
 */
export function createPortTable(
  { first, last }: PortSpan,
  random: () => number,
  reserved: readonly PortSpan[] = [],
): SharedArrayBuffer {
  if (!Number.isInteger(first) || !Number.isInteger(last) || first < 1 || last > 65535 || first > last) {
    throw new RangeError(`${first}-${last} is not a range of ports`);
  }
  const count = last - first + 1;
  const table = new SharedArrayBuffer((HEADER + count) * Int32Array.BYTES_PER_ELEMENT);
  const cells = new Int32Array(table);
  cells[FIRST] = first;
  cells[COUNT] = count;
  cells[CURSOR] = Math.floor(random() * count);
  for (const span of reserved) {
    cells.fill(
      RESERVED,
      HEADER + Math.max(span.first - first, 0),
      HEADER + Math.max(span.last - first + 1, 0),
    );
  }
  cells[FREE] = cells.subarray(HEADER).reduce((free, state) => free + (state === NOBODY ? 1 : 0), 0);
  return table;
}

export class PortAllocator {
  readonly #cells: Int32Array;
  readonly #first: number;
  readonly #count: number;
  readonly #holder: number;

  /**
   * `table` comes from createPortTable and may be in use by other threads. `holder`, 1 or more, is whom ports are lent
   * to; whoever may end while others go on needs a number of its own.
   */
  constructor(table: SharedArrayBuffer, holder: number = 1) {
    this.#cells = new Int32Array(table);
    this.#holder = holder;
    this.#first = Atomics.load(this.#cells, FIRST);
    this.#count = Atomics.load(this.#cells, COUNT);
  }

  /** Ports that can still be lent, to all threads together. */
  get free(): number {
    return Atomics.load(this.#cells, FREE);
  }

  /** A free port that is the caller's until it is given back, or undefined if none is free. `skip` ports are passed over. */
  take(skip: number = 0): number | undefined {
    if (skip > 0) Atomics.add(this.#cells, CURSOR, skip);
    for (let tries = 0; tries < this.#count && this.free > 0; tries++) {
      const turn = (Atomics.add(this.#cells, CURSOR, 1) >>> 0) % this.#count;
      if (Atomics.compareExchange(this.#cells, HEADER + turn, NOBODY, this.#holder) === NOBODY) {
        Atomics.sub(this.#cells, FREE, 1);
        return this.#first + turn;
      }
    }
    return undefined;
  }

  /** Giving back a port that is not held changes nothing. */
  giveBack(port: number): void {
    const turn = port - this.#first;
    if (turn >= 0 && turn < this.#count) this.#release(turn);
  }

  /** Gives back all ports that this holder has, through whichever allocator they were taken. */
  giveBackAll(): void {
    for (let turn = 0; turn < this.#count; turn++) this.#release(turn);
  }

  #release(turn: number): void {
    const was = Atomics.compareExchange(this.#cells, HEADER + turn, this.#holder, NOBODY);
    if (was === this.#holder) Atomics.add(this.#cells, FREE, 1);
  }
}
