/** Which ports of a `--tid-ports` range this thread may take: each `of`th, from the `first` on. */
export interface PortShare {
  readonly first: number;
  readonly of: number;
}

/** Inclusive on both sides. */
export interface PortSpan {
  readonly first: number;
  readonly last: number;
}

/** The ports of a range that nobody here has, in random order: a TID that can be guessed proves no address. */
export class PortRange {
  /** How many this thread may have. */
  readonly size: number;
  readonly #own: ReadonlySet<number>;
  #free: number[];

  constructor({ first, last }: PortSpan, share: PortShare, random: () => number) {
    const ports = Array.from({ length: last - first + 1 }, (_, index) => first + index);
    const own = ports.filter((_, index) => index % share.of === share.first % share.of);
    this.#own = new Set(own);
    this.#free = shuffled(own, random);
    this.size = this.#free.length;
  }

  get free(): number {
    return this.#free.length;
  }

  /** The one that has waited longest; undefined if none is free. */
  take(): number | undefined {
    return this.#free.shift();
  }

  /** The port is taken already. It may be none of this range. */
  claim(port: number): void {
    this.#free = this.#free.filter((free) => free !== port);
  }

  /** One that is not of this range is nobody's. */
  giveBack(port: number): void {
    if (this.#own.has(port)) this.#free.push(port);
  }
}

/** Fisher and Yates. */
function shuffled(values: number[], random: () => number): number[] {
  for (let last = values.length - 1; last > 0; last--) {
    const chosen = Math.floor(random() * (last + 1));
    [values[last], values[chosen]] = [values[chosen] ?? 0, values[last] ?? 0];
  }
  return values;
}
