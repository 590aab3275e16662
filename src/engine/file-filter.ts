import { Glob } from './glob.ts';
import type { FileRules } from './snapshot.ts';

/** Any of some patterns; none are matched by nothing. */
export class GlobSet {
  readonly #globs: readonly Glob[];

  /** Of patterns as operators write them. */
  constructor(patterns: readonly string[]) {
    // Names have no encoding, and one character a byte here: what is beyond ASCII is compared as UTF-8.
    this.#globs = patterns.map((pattern) => new Glob(plainName(Buffer.from(pattern).toString('latin1'))));
  }

  get isEmpty(): boolean {
    return this.#globs.length === 0;
  }

  /** `name` comes from plainName. */
  matches(name: string): boolean {
    return this.#globs.some((glob) => glob.matches(name));
  }
}

/** Which files may be asked for: a denied one never, and where some are allowed, no other. */
export class FileFilter {
  readonly #allowed: GlobSet;
  readonly #denied: GlobSet;

  constructor({ allow, deny }: FileRules) {
    this.#allowed = new GlobSet(allow);
    this.#denied = new GlobSet(deny);
  }

  /** `name` comes from plainName. */
  permits(name: string): boolean {
    return !this.#denied.matches(name) && (this.#allowed.isEmpty || this.#allowed.matches(name));
  }
}

/**
 * The name that all spellings of a file have in common, as far as servers agree: without slashes at the front or side by
 * side and without `.` for a folder, and with slashes for backslashes. A rule that could be evaded by another spelling
 * would be none.
 */
export function plainName(file: string): string {
  const parts = file.split(/[/\\]/);
  return parts.filter((part) => part !== '' && part !== '.').join('/');
}
