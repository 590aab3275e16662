import { getEventListeners } from 'node:events';
import { describe, expect, test } from 'vitest';
import type { Probe, ProbeTarget } from '../../src/health/probe.ts';
import type { ProbeOutcome } from '../../src/observe/events.ts';

export interface ProbeWorld {
  readonly probe: Probe;
  readonly backend: ProbeTarget;
  /** Lets time pass until `work` is done. */
  play<T>(work: Promise<T>): Promise<T>;
  /** Timers, sockets and processes that the probe keeps. */
  leftOpen(): number;
}

/**
 * What every probe owes to the scheduler. `createWorld` makes a world in which a check ends with that outcome, which is
 * one of `outcomes`: all that the probe knows.
 */
export function probeContract<O extends ProbeOutcome>(
  name: string,
  outcomes: readonly O[],
  createWorld: (outcome: O | 'alive' | 'timeout') => ProbeWorld,
): void {
  const signal = new AbortController().signal;

  describe(`probe ${name}`, () => {
    describe.each(outcomes)('%s', (outcome) => {
      test('is what the check says, again and again, and nothing stays open', async () => {
        const world = createWorld(outcome);
        for (let round = 0; round < 3; round += 1) {
          expect(await world.play(world.probe.check(world.backend, signal))).toBe(outcome);
          expect(world.leftOpen()).toBe(0);
        }
      });

      test('is what checks say that run at the same time', async () => {
        const world = createWorld(outcome);
        const checks = [world.probe.check(world.backend, signal), world.probe.check(world.backend, signal)];
        expect(await world.play(Promise.all(checks))).toEqual([outcome, outcome]);
        expect(world.leftOpen()).toBe(0);
      });
    });

    test('a check that is aborted ends at once and leaves nothing open', async () => {
      const world = createWorld('timeout');
      const controller = new AbortController();
      const reason = new Error('enough');
      const check = world.probe.check(world.backend, controller.signal);
      expect(world.leftOpen()).toBeGreaterThan(0);
      controller.abort(reason);
      await expect(check).rejects.toBe(reason);
      expect(world.leftOpen()).toBe(0);
    });

    test('a check that was aborted before it began does not begin', async () => {
      const world = createWorld('alive');
      const reason = new Error('enough');
      const check = world.probe.check(world.backend, AbortSignal.abort(reason));
      expect(world.leftOpen()).toBe(0);
      await expect(check).rejects.toBe(reason);
    });

    test('a check that is over no longer listens to its signal', async () => {
      const world = createWorld('alive');
      const { signal } = new AbortController();
      await world.play(world.probe.check(world.backend, signal));
      expect(getEventListeners(signal, 'abort')).toEqual([]);
    });
  });
}
