/** What a session waits for. `work` is for whatever it does at the moment, `data` for data connections to be opened. */
export type TimerName = 'login' | 'idle' | 'work' | 'data';

/** Each fires once, and is forgotten then. Times are milliseconds of one clock. */
export class Timers {
  readonly #due = new Map<TimerName, number>();

  /** The earliest of all; Infinity if there is none. */
  get next(): number {
    return Math.min(...this.#due.values());
  }

  has(name: TimerName): boolean {
    return this.#due.has(name);
  }

  set(name: TimerName, at: number): void {
    this.#due.set(name, at);
  }

  clear(...names: readonly TimerName[]): void {
    for (const name of names) this.#due.delete(name);
  }

  /** Takes one that is due, the earliest first. */
  take(now: number): TimerName | undefined {
    const next = this.next;
    if (next > now) return undefined;
    for (const [name, at] of this.#due) {
      if (at !== next) continue;
      this.#due.delete(name);
      return name;
    }
    return undefined;
  }
}
