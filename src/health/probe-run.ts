import { type Clock, NetError } from '../net/net.ts';
import type { ProbeOutcome } from '../observe/events.ts';

/** One check that is made of awaiting. */
export interface ProbeRun {
  /** Begins it. Never rejects. */
  outcome(): Promise<ProbeOutcome>;
  /** Gives back what is still open, at once. */
  close(): void;
}

/**
 * The outcome of a run, or `timeout` after so many milliseconds. Rejects with the reason of `signal` as soon as that
 * aborts. The run is closed in each case, and not even begun if it was aborted before.
 */
export async function outcomeWithin(
  clock: Clock,
  timeout: number,
  run: ProbeRun,
  signal: AbortSignal,
): Promise<ProbeOutcome> {
  signal.throwIfAborted();
  const { promise: cut, resolve, reject } = Promise.withResolvers<ProbeOutcome>();
  const onAbort = (): void => reject(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  const timer = clock.setTimer(timeout, () => resolve('timeout'));
  try {
    return await Promise.race([run.outcome(), cut]);
  } finally {
    signal.removeEventListener('abort', onAbort);
    timer.cancel();
    run.close();
  }
}

/** A network without a way to the backend refuses in its name; every other error is our own. */
export function outcomeOfNetError({ code }: NetError): ProbeOutcome {
  if (code === 'TLB_ERR_REFUSED' || code === 'TLB_ERR_UNREACHABLE') return 'refused';
  return code === 'TLB_ERR_TIMEOUT' ? 'timeout' : 'failed';
}
