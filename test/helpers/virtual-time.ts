import type { VirtualClock } from '../../src/net/memory-clock.ts';

/** Lets virtual time pass, with turns for the code that awaits after everything that happens. */
export function pass(clock: VirtualClock, milliseconds: number): Promise<void> {
  return clock.play(
    new Promise<void>((resolve) => {
      clock.setTimer(milliseconds, resolve);
    }),
  );
}
