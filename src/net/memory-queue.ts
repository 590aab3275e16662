/** Something that happens at a moment of virtual time. */
export interface Happening {
  readonly at: number;
  readonly run: () => void;
  /** Breaks ties: what was planned first happens first. */
  readonly order: number;
  /** Where it lies in the heap; -1 once it has left. */
  place: number;
}

/** What is yet to happen, the earliest first: a binary heap from which anything can be taken back. */
export class HappeningQueue {
  readonly #heap: Happening[] = [];
  #planned = 0;

  plan(at: number, run: () => void): Happening {
    const happening: Happening = { at, run, order: this.#planned++, place: this.#heap.length };
    this.#heap.push(happening);
    this.#rise(happening);
    return happening;
  }

  earliest(): Happening | undefined {
    return this.#heap[0];
  }

  /** Takes it out, wherever it lies. False if it had left already. */
  remove(happening: Happening): boolean {
    const { place } = happening;
    if (place < 0) return false;
    happening.place = -1;
    const last = this.#heap.pop();
    if (last !== undefined && last !== happening) {
      this.#put(last, place);
      this.#rise(last);
      this.#sink(last);
    }
    return true;
  }

  #rise(happening: Happening): void {
    while (happening.place > 0) {
      const parent = this.#heap[(happening.place - 1) >> 1];
      if (parent === undefined || isBefore(parent, happening)) return;
      this.#swap(parent, happening);
    }
  }

  #sink(happening: Happening): void {
    for (;;) {
      const left = this.#heap[2 * happening.place + 1];
      const right = this.#heap[2 * happening.place + 2];
      const child = right !== undefined && left !== undefined && isBefore(right, left) ? right : left;
      if (child === undefined || isBefore(happening, child)) return;
      this.#swap(happening, child);
    }
  }

  /** `upper` is the parent of `lower`. */
  #swap(upper: Happening, lower: Happening): void {
    const { place } = upper;
    this.#put(upper, lower.place);
    this.#put(lower, place);
  }

  #put(happening: Happening, place: number): void {
    this.#heap[place] = happening;
    happening.place = place;
  }
}

function isBefore(a: Happening, b: Happening): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}
