/** Spins in a row that found nothing before spinning is given up. */
const maxMisses = 4;

/**
 * Whether it pays to poll before blocking: the answer to a block of a lock-step transfer is there after some tens of
 * microseconds, less than it takes to put a thread to sleep and to wake it.
 */
export class Spin {
  /** Milliseconds of one spin; 0 = never. */
  readonly time: number;
  #misses = maxMisses;

  /** `time` in microseconds. */
  constructor(time: number) {
    this.time = time / 1_000;
  }

  get isWorthwhile(): boolean {
    return this.#misses < maxMisses;
  }

  /** The loop spun, and something came or not. */
  spun(isHit: boolean): void {
    this.#misses = isHit ? 0 : this.#misses + 1;
  }

  /** The loop blocked for so many milliseconds until something came: a spin would have found it, or not. */
  blocked(duration: number): void {
    if (duration < this.time) this.#misses = 0;
  }
}
