/**
 * Gives backends their rows in the scoreboard; the control plane alone has it.
 *
 *   unused --> in a pool <--> retired --> in a pool, for another backend
 *
 * A backend is known by its service, name, address and port; another weight leaves it what it is. A retired row goes
 * to another backend only when no session holds it, and never in the update that retires it: until every worker obeys
 * a snapshot without it, the row may still be picked. Rows that have been retired the longest are reused first, and
 * unused ones before them.
 */
import type { Backend, FoundBackend } from './pool.ts';
import type { Scoreboard } from './scoreboard.ts';

/** More backends are known, or still have sessions, than the scoreboard has rows. Nothing has been changed. */
export class TooManyBackendsError extends Error {
  override readonly name = 'TooManyBackendsError';
  readonly code = 'TLB_ERR_TOO_MANY_BACKENDS';

  constructor(service: string, missing: number, capacity: number) {
    super(
      `service ${service} has ${missing} backends more than there is room for: ` +
        `${capacity} may be known at once, removed ones with running sessions included`,
    );
  }
}

interface RetiredRow {
  readonly index: number;
  /** Version of the last snapshot that has it. */
  readonly snapshot: number;
}

export class IndexTable {
  readonly #scoreboard: Scoreboard;
  /** Rows that are in a pool, by service and then by backend. */
  readonly #pools = new Map<string, ReadonlyMap<string, number>>();
  /** Rows that are in none, the one that was retired first in front. */
  readonly #retired = new Map<string, RetiredRow>();
  /** Rows from here on have never been given away. */
  #unused = 0;

  constructor(scoreboard: Scoreboard) {
    this.#scoreboard = scoreboard;
  }

  /** The pool of a service that has exactly these backends now. Throws TooManyBackendsError. */
  update(service: string, found: readonly FoundBackend[]): Backend[] {
    const known = this.#pools.get(service) ?? new Map<string, number>();
    const keys = new Set(found.map((backend) => keyOf(service, backend)));
    const newcomers = [...keys].filter((key) => !known.has(key) && !this.#retired.has(key));
    const rows = new Map([...known].filter(([key]) => keys.has(key)));
    for (const [key, index] of this.#freeRowsFor(service, newcomers, keys)) rows.set(key, index);
    for (const key of keys) {
      const row = this.#retired.get(key);
      if (row !== undefined) rows.set(key, this.#readmit(key, row));
    }
    for (const [key, index] of known) {
      if (!keys.has(key)) this.#retired.set(key, { index, snapshot: this.#scoreboard.snapshot });
    }
    this.#pools.set(service, rows);
    return found.map((backend) => ({ ...backend, index: rows.get(keyOf(service, backend)) ?? -1 }));
  }

  /** One free row for each newcomer, reset. `wanted` rows are about to be readmitted. */
  #freeRowsFor(
    service: string,
    newcomers: readonly string[],
    wanted: ReadonlySet<string>,
  ): Map<string, number> {
    const { backends: capacity } = this.#scoreboard.size;
    const reusable = [...this.#retired].filter(([key, row]) => !wanted.has(key) && this.#isFree(row));
    const unused = Math.min(newcomers.length, capacity - this.#unused);
    const missing = newcomers.length - unused - reusable.length;
    if (missing > 0) throw new TooManyBackendsError(service, missing, capacity);
    const indexes = Array.from({ length: unused }, (_, at) => this.#unused + at);
    this.#unused += unused;
    for (const [key, { index }] of reusable.slice(0, newcomers.length - unused)) {
      this.#retired.delete(key);
      this.#scoreboard.reset(index);
      indexes.push(index);
    }
    return new Map(newcomers.map((key, at) => [key, indexes[at] ?? -1]));
  }

  /** A retired backend is back. Without sessions it starts anew; with some, what they count must not be lost. */
  #readmit(key: string, row: RetiredRow): number {
    this.#retired.delete(key);
    if (this.#isFree(row)) this.#scoreboard.reset(row.index);
    return row.index;
  }

  /** In this order: a worker that obeys another snapshot can hold the row no more than it does. */
  #isFree({ index, snapshot }: RetiredRow): boolean {
    return !this.#scoreboard.isObeyed(snapshot) && this.#scoreboard.holders(index) === 0;
  }
}

function keyOf(service: string, backend: FoundBackend): string {
  return JSON.stringify([service, backend.name, backend.address, backend.port]);
}
