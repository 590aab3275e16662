import type { Eligible, Policy } from './pool.ts';

/** A primary and its standbys: whoever stands first in the configuration has all sessions, as long as it is eligible. */
export class First implements Policy {
  pick({ indexes }: Eligible): number {
    return indexes[0] ?? -1;
  }
}
