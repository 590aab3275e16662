/**
 * What a row of health checks makes of a backend.
 *
 *        `fall` checks in a row without life
 *   up ------------------------------------------> down
 *      <------------------------------------------
 *        `rise` checks in a row with life
 *
 * A check that agrees with the standing starts the row anew. A check that failed on our side (no socket could be had)
 * says nothing about the backend and is left out.
 */
import type { ProbeOutcome } from '../observe/events.ts';

export interface Thresholds {
  /** Checks in a row that bring a backend up; 1 or more. */
  readonly rise: number;
  /** Checks in a row that bring a backend down; 1 or more. */
  readonly fall: number;
}

export interface Standing {
  readonly isUp: boolean;
  /** Checks in a row, up to the latest, that spoke against it. */
  readonly contrary: number;
}

/** New backends count as up. */
export const newStanding: Standing = { isUp: true, contrary: 0 };

export function afterCheck(standing: Standing, outcome: ProbeOutcome, { rise, fall }: Thresholds): Standing {
  if (outcome === 'failed') return standing;
  const { isUp } = standing;
  if ((outcome === 'alive') === isUp) return { isUp, contrary: 0 };
  const contrary = standing.contrary + 1;
  return contrary < (isUp ? fall : rise) ? { isUp, contrary } : { isUp: !isUp, contrary: 0 };
}
