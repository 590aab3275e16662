import { describe, expect, it } from 'vitest';
import { VirtualClock } from '../../../src/net/memory-clock.ts';

describe('VirtualClock', () => {
  it('advances by exactly what it is told, through what is due and no further', () => {
    const clock = new VirtualClock();
    const start = clock.now();
    const calls: number[] = [];
    for (const delay of [10, 20, 20.5]) clock.setTimer(delay, () => calls.push(clock.now() - start));
    clock.advance(20);
    expect(calls).toEqual([10, 20]);
    expect(clock.now()).toBe(start + 20);
    expect(clock.pendingTimers).toBe(1);
    clock.advance(1000);
    expect(calls).toEqual([10, 20, 20.5]);
    expect(clock.now()).toBe(start + 1020);
  });

  it('counts the timers that are neither over nor cancelled', () => {
    const clock = new VirtualClock();
    const timers = [1, 2, 3].map((delay) => clock.setTimer(delay, () => undefined));
    expect(clock.pendingTimers).toBe(3);
    timers[2]?.cancel();
    timers[2]?.cancel();
    clock.step();
    timers[0]?.cancel();
    expect(clock.pendingTimers).toBe(1);
    clock.runUntilIdle();
    expect(clock.pendingTimers).toBe(0);
  });

  it('stops where the condition holds', () => {
    const clock = new VirtualClock();
    let calls = 0;
    for (const delay of [1, 2, 3]) clock.setTimer(delay, () => calls++);
    expect(clock.runUntil(() => calls === 2)).toBe(true);
    expect(calls).toBe(2);
    expect(clock.runUntil(() => calls === 4)).toBe(false);
    expect(calls).toBe(3);
  });

  it('gives up on what never ends', () => {
    const clock = new VirtualClock();
    const again = (): void => {
      clock.setTimer(1, again);
    };
    again();
    expect(() => clock.runUntilIdle(100)).toThrow(RangeError);
    expect(() => clock.advance(1e6, 100)).toThrow(RangeError);
    expect(() => clock.runUntil(() => false, 100)).toThrow(RangeError);
  });

  it('plays code that awaits', async () => {
    const clock = new VirtualClock();
    const start = clock.now();
    const sleep = (delay: number): Promise<void> => new Promise((resolve) => clock.setTimer(delay, resolve));
    const work = async (): Promise<number> => {
      for (let turn = 0; turn < 5; turn++) await sleep(10);
      return clock.now() - start;
    };
    const tooLate = clock.setTimer(1000, () => undefined);
    expect(await clock.play(work())).toBe(50);
    expect(clock.now()).toBe(start + 50);
    tooLate.cancel();
    await expect(clock.play(Promise.reject(new Error('failed work')))).rejects.toThrow('failed work');
    await expect(clock.play(new Promise(() => undefined))).rejects.toThrow('nothing is left to happen');
  });
});
