/**
 * How many of its events a worker knows to be taken: a worker that is ahead of the control plane by too many waits for
 * it, since what lies between them is memory, and nothing of it may be left out.
 */
export class Receipts {
  /** One cell: events that were taken, modulo 2 ** 32. */
  readonly #taken: Int32Array;

  constructor(memory: SharedArrayBuffer) {
    this.#taken = new Int32Array(memory);
  }

  /** Memory of nothing taken. */
  static allocate(): SharedArrayBuffer {
    return new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT);
  }

  /** The control plane's side. */
  take(events: number): void {
    Atomics.add(this.#taken, 0, events);
    Atomics.notify(this.#taken, 0);
  }

  /** The worker's side: blocks its thread until no more than `limit` of the `posted` events have not been taken. */
  wait(posted: number, limit: number): void {
    for (;;) {
      const taken = Atomics.load(this.#taken, 0);
      if (((posted - taken) | 0) <= limit) return;
      Atomics.wait(this.#taken, 0, taken);
    }
  }
}
