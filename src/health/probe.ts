import type { Endpoint } from '../net/net.ts';
import type { ProbeOutcome } from '../observe/events.ts';

/** A backend as a check sees it. */
export interface ProbeTarget extends Endpoint {
  readonly name: string;
}

/** One way to ask a backend whether it lives. */
export interface Probe {
  /**
   * Asks once, within a time of the probe's own, and keeps nothing open afterwards. Every answer, refusal, silence and
   * error is an outcome; the promise rejects only if `signal` aborts, with its reason.
   */
  check(backend: ProbeTarget, signal: AbortSignal): Promise<ProbeOutcome>;
}
