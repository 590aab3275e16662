import { describe, expect, test } from 'vitest';
import { type Job, together } from '../../../src/discovery/together.ts';
import { VirtualClock } from '../../../src/net/memory-clock.ts';

const never = new AbortController().signal;

/** Jobs that take 10 ms each and write down how many run at a time. */
function jobs(
  clock: VirtualClock,
  count: number,
): { list: Job<number>[]; running: number[]; aborted: number[] } {
  const running: number[] = [];
  const aborted: number[] = [];
  let now = 0;
  const list = Array.from({ length: count }, (_, at): Job<number> => async (signal) => {
    running.push(++now);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    clock.setTimer(10, resolve);
    signal.addEventListener('abort', () => {
      aborted.push(at);
      reject(signal.reason);
    });
    await promise.finally(() => now--);
    return at;
  });
  return { list, running, aborted };
}

describe('jobs', () => {
  test('give their results in order, so many at a time', async () => {
    const clock = new VirtualClock();
    const { list, running } = jobs(clock, 10);
    expect(await clock.play(together(list, 3, never))).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(Math.max(...running)).toBe(3);
  });

  test('may be fewer than can run, or none', async () => {
    const clock = new VirtualClock();
    expect(await clock.play(together(jobs(clock, 1).list, 3, never))).toEqual([0]);
    expect(await together([], 3, never)).toEqual([]);
  });

  test('stop with the first that fails', async () => {
    const clock = new VirtualClock();
    const { list, running, aborted } = jobs(clock, 10);
    const reason = new Error('no');
    list[1] = async () => {
      throw reason;
    };
    await expect(clock.play(together(list, 3, never))).rejects.toBe(reason);
    expect([running.length, aborted]).toEqual([2, [0, 2]]);
  });

  test('stop with the signal', async () => {
    const clock = new VirtualClock();
    const { list, running, aborted } = jobs(clock, 10);
    const controller = new AbortController();
    const reason = new Error('enough');
    clock.setTimer(15, () => controller.abort(reason));
    await expect(clock.play(together(list, 2, controller.signal))).rejects.toBe(reason);
    expect([running.length, aborted.slice(-2)]).toEqual([4, [2, 3]]);
  });
});
