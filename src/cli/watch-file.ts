import { statSync } from 'node:fs';

import type { Clock, Timer } from '../net/net.ts';

/** Milliseconds between two looks. */
const interval = 250;

/**
 * Calls back when what a path leads to is another file or has other content, and has been at rest for one look: editors
 * write in pieces, or put a new file into the place of the old one, and mounted volumes change a link on the way. So it
 * is looked at, which finds all of that, and not asked of the system, which tells of files and not of paths. `clock` and
 * `identify` are those of the system but in tests.
 */
export class FileWatch {
  readonly #path: string;
  readonly #clock: Pick<Clock, 'setTimer'>;
  readonly #onChange: () => void;
  readonly #identify: (path: string) => string;
  /** What was found at the last look. */
  #seen: string;
  /** What was told, or was there at the start. */
  #told: string;
  #timer: Timer | undefined;

  constructor(
    path: string,
    clock: Pick<Clock, 'setTimer'>,
    onChange: () => void,
    identify: (path: string) => string = identityOf,
  ) {
    this.#path = path;
    this.#clock = clock;
    this.#onChange = onChange;
    this.#identify = identify;
    this.#seen = identify(path);
    this.#told = this.#seen;
    this.#lookLater();
  }

  close(): void {
    this.#timer?.cancel();
  }

  #lookLater(): void {
    this.#timer = this.#clock.setTimer(interval, () => {
      this.#lookLater();
      this.#look();
    });
  }

  #look(): void {
    const found = this.#identify(this.#path);
    const isAtRest = found === this.#seen;
    this.#seen = found;
    if (!isAtRest || found === this.#told) return;
    this.#told = found;
    this.#onChange();
  }
}

/** Another one whenever the content may be another one. */
function identityOf(path: string): string {
  try {
    const { dev, ino, size, mtimeNs } = statSync(path, { bigint: true });
    return [dev, ino, size, mtimeNs].join(' ');
  } catch {
    return 'missing';
  }
}
