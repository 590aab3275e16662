import type { Clock, Timer } from '../net/net.ts';

/** Lines of one kind that are written in one window, and the window's length in milliseconds. */
const burst = 10;
const window = 10_000;

interface Window {
  written: number;
  suppressed: number;
  readonly end: Timer;
}

/**
 * Lets the first lines of each kind pass and counts the others, so that a flood on the wire is no flood in the log.
 * `onSuppressed` hears, when a window is over, how many lines of that kind it has swallowed. The kinds must come from
 * a closed set: each has a window.
 */
export class Throttle<Kind extends string> {
  readonly #clock: Pick<Clock, 'setTimer'>;
  readonly #onSuppressed: (kind: Kind, count: number) => void;
  readonly #windows = new Map<Kind, Window>();

  constructor(clock: Pick<Clock, 'setTimer'>, onSuppressed: (kind: Kind, count: number) => void) {
    this.#clock = clock;
    this.#onSuppressed = onSuppressed;
  }

  /** Whether a line of this kind may be written now. */
  admits(kind: Kind): boolean {
    const current = this.#windows.get(kind) ?? this.#open(kind);
    if (current.written === burst) {
      current.suppressed += 1;
      return false;
    }
    current.written += 1;
    return true;
  }

  /** Ends all windows now. */
  close(): void {
    for (const kind of this.#windows.keys()) this.#end(kind);
  }

  #open(kind: Kind): Window {
    const end = this.#clock.setTimer(window, () => this.#end(kind));
    const opened: Window = { written: 0, suppressed: 0, end };
    this.#windows.set(kind, opened);
    return opened;
  }

  #end(kind: Kind): void {
    const ended = this.#windows.get(kind);
    ended?.end.cancel();
    this.#windows.delete(kind);
    if (ended !== undefined && ended.suppressed > 0) this.#onSuppressed(kind, ended.suppressed);
  }
}
