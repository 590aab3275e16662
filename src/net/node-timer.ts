import type { Timer } from './net.ts';

/** The longest delay that setTimeout knows; a longer one would fire at once. */
const maxDelay = 2 ** 31 - 1;

/** Monotonic milliseconds since 1970, the same in every thread up to the clock's drift. */
export function monotonicNow(): number {
  return performance.timeOrigin + performance.now();
}

/** Calls back once `delay` milliseconds have passed by `now`, however long that is, and never early. */
export function startTimer(now: () => number, delay: number, callback: () => void): Timer {
  const deadline = now() + (delay > 0 ? delay : 0);
  let handle: NodeJS.Timeout;
  // Where the process stood still meanwhile, the time is over already; setTimeout warns of negative delays.
  const rest = (): number => Math.min(Math.max(0, Math.ceil(deadline - now())), maxDelay);
  // setTimeout counts whole milliseconds from the turn of the event loop and may be early by one.
  const arm = (): void => {
    const wait = rest();
    if (wait === 0) callback();
    else handle = setTimeout(arm, wait);
  };
  handle = setTimeout(arm, rest());
  return { cancel: () => clearTimeout(handle) };
}
