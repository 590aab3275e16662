/** Milliseconds. */
const first = 100;
const longest = 10_000;
/** A life of this length shows that what a worker died of before is over. */
const longLife = 60_000;

/** How long to wait before a worker that has died is started again: longer and longer, while it dies young. */
export class RestartDelay {
  #last = 0;

  /** `life` is how long it has lived. */
  next(life: number): number {
    const isFirst = this.#last === 0 || life >= longLife;
    this.#last = isFirst ? first : Math.min(this.#last * 2, longest);
    return this.#last;
  }
}
