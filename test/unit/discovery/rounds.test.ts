import { describe, expect, test } from 'vitest';
import { Rounds } from '../../../src/discovery/rounds.ts';
import { VirtualClock } from '../../../src/net/memory-clock.ts';
import { pass } from '../../helpers/virtual-time.ts';

/** Rounds that take `duration` and are due every `interval`, with the moments at which they began. */
function scene(interval: number, duration = 0): { clock: VirtualClock; rounds: Rounds; began: number[] } {
  const clock = new VirtualClock();
  const start = clock.now();
  const began: number[] = [];
  const rounds = new Rounds(clock, async () => {
    began.push(clock.now() - start);
    const { promise, resolve } = Promise.withResolvers<void>();
    clock.setTimer(duration, resolve);
    await promise;
    return interval;
  });
  return { clock, rounds, began };
}

describe('rounds', () => {
  test('follow each other after the time that each asks for', async () => {
    const { clock, rounds, began } = scene(100, 20);
    rounds.start(10);
    await pass(clock, 400);
    expect(began).toEqual([10, 130, 250, 370]);
  });

  test('can be hurried, and go on as before', async () => {
    const { clock, rounds, began } = scene(100);
    rounds.start(100);
    await pass(clock, 30);
    rounds.hurry(5);
    await pass(clock, 200);
    expect(began).toEqual([35, 135]);
  });

  test('are not put off by who hurries them without end', async () => {
    const { clock, rounds, began } = scene(1_000);
    rounds.start(1_000);
    for (let time = 0; time < 10; time++) {
      rounds.hurry(25);
      await pass(clock, 10);
    }
    expect(began).toEqual([25, 55, 85]);
  });

  test('that run are not doubled: another one follows soon', async () => {
    const { clock, rounds, began } = scene(1_000, 50);
    rounds.start(0);
    await pass(clock, 20);
    rounds.hurry(5);
    await pass(clock, 100);
    expect(began).toEqual([0, 55]);
  });

  test.each([
    ['while they wait', 50],
    ['while one runs', 110],
  ])('end when they are told to %s', async (_, when) => {
    const { clock, rounds, began } = scene(100, 20);
    rounds.start(100);
    await pass(clock, when);
    const before = began.length;
    rounds.stop();
    rounds.hurry(1);
    await pass(clock, 1_000);
    expect([began.length, clock.pendingTimers]).toEqual([before, 0]);
  });
});
