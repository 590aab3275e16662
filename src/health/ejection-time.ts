/**
 * How long a backend is ejected: each time twice as long as the time before, up to a limit. What it has to its
 * discredit is forgiven step by step, for each time that it has served as long as it was last out.
 */

/** The longest that repeats make it (milliseconds). */
const longest = 300_000;

/** What is remembered of a backend that has been ejected. */
export interface EjectionRecord {
  /** Ejections that are not forgiven yet, 1 or more. */
  readonly times: number;
  /** When the last one ended, in milliseconds of the clock. */
  readonly endedAt: number;
}

/** Milliseconds of the ejection that makes it `times`; `base` is the first one. */
export function ejectionTime(times: number, base: number): number {
  return Math.max(base, Math.min(base * 2 ** (times - 1), longest));
}

/** What the ejection that begins `now` makes it. */
export function timesOf(record: EjectionRecord | undefined, now: number, base: number): number {
  if (record === undefined) return 1;
  let { times } = record;
  let served = now - record.endedAt;
  while (times > 0 && served >= ejectionTime(times, base)) {
    served -= ejectionTime(times, base);
    times -= 1;
  }
  return times + 1;
}
