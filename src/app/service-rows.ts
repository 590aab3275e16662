/**
 * Gives services their rows in the scoreboard. A row that a service has left goes to another one only when no worker
 * obeys a snapshot with it any longer, and no session of it runs.
 */
import type { Scoreboard } from '../balance/scoreboard.ts';

/** There are more services, or more that still have sessions, than there are rows for them. */
export class TooManyServicesError extends Error {
  override readonly name = 'TooManyServicesError';
  readonly code = 'TLB_ERR_TOO_MANY_SERVICES';

  constructor(service: string, capacity: number) {
    super(
      `there is no room for service ${service}: ${capacity} may be known at once, removed ones with running sessions included`,
    );
  }
}

export class ServiceRows {
  readonly #scoreboard: Scoreboard;
  readonly #capacity: number;
  /** By row that was left: the version of the last snapshot that has it. */
  readonly #left = new Map<number, number>();
  /** Rows from here on have never been given away. */
  #unused = 0;

  /** Rows from `capacity` on are somebody else's. */
  constructor(scoreboard: Scoreboard, capacity: number) {
    this.#scoreboard = scoreboard;
    this.#capacity = capacity;
  }

  /** A row for the service. Throws TooManyServicesError. */
  take(service: string): number {
    if (this.#unused < this.#capacity) return this.#unused++;
    for (const row of this.#left.keys()) {
      if (!this.isFree(row)) continue;
      this.#left.delete(row);
      this.#scoreboard.resetService(row);
      return row;
    }
    throw new TooManyServicesError(service, this.#capacity);
  }

  /** From the next snapshot on, its service is gone. */
  leave(row: number): void {
    this.#left.set(row, this.#scoreboard.snapshot);
  }

  /** Whether nothing is left of the service that left the row. */
  isFree(row: number): boolean {
    const version = this.#left.get(row);
    if (version === undefined) return true;
    return !this.#scoreboard.isObeyed(version) && this.#scoreboard.activeOf(row) === 0;
  }
}
