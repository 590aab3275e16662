import type { VirtualClock } from '../../src/net/memory-clock.ts';

/**
 * Lets virtual time pass, with turns for the code that awaits after everything that happens. What is due at the last
 * moment has happened too, even if it was planned on the way.
 */
export async function pass(clock: VirtualClock, milliseconds: number): Promise<void> {
  for (const delay of [milliseconds, 0]) {
    const { promise, resolve } = Promise.withResolvers<void>();
    clock.setTimer(delay, resolve);
    await clock.play(promise);
  }
}
