import type { Timer } from '../../net/net.ts';

interface Entry {
  readonly at: number;
  readonly callback: () => void;
}

/** The few timers of an event loop, the next one first. Sessions have a wheel of their own. */
export class TimerList {
  readonly #entries: Entry[] = [];

  /** Milliseconds from `now` to the next timer, never negative; Infinity if there is none. */
  untilNext(now: number): number {
    const [next] = this.#entries;
    return next ? Math.max(0, next.at - now) : Infinity;
  }

  add(at: number, callback: () => void): Timer {
    const entry = { at, callback };
    const later = this.#entries.findIndex((other) => other.at > at);
    this.#entries.splice(later < 0 ? this.#entries.length : later, 0, entry);
    return {
      cancel: () => {
        const index = this.#entries.indexOf(entry);
        if (index >= 0) this.#entries.splice(index, 1);
      },
    };
  }

  /** Calls back all that are due at `now`, but none that these add. */
  run(now: number): void {
    const [next] = this.#entries;
    if (!next || next.at > now) return;
    const due = this.#entries.filter(({ at }) => at <= now);
    for (const entry of due) {
      const index = this.#entries.indexOf(entry);
      // An earlier one may have cancelled it.
      if (index < 0) continue;
      this.#entries.splice(index, 1);
      entry.callback();
    }
  }
}
