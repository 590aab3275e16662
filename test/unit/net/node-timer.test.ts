import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { startTimer } from '../../../src/net/node-timer.ts';

describe('startTimer', () => {
  let lag = 0;
  const now = (): number => performance.now() - lag;
  const month = 30 * 24 * 3_600_000;

  beforeEach(() => {
    lag = 0;
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('waits longer than setTimeout can', () => {
    const callback = vi.fn<() => void>();
    startTimer(now, 2 * month, callback);
    vi.advanceTimersByTime(2 * month - 1);
    expect(callback).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(callback).toHaveBeenCalledOnce();
    vi.advanceTimersByTime(3 * month);
    expect(callback).toHaveBeenCalledOnce();
  });

  it('waits on if setTimeout was early by the clock that counts', () => {
    const fired: number[] = [];
    const start = now();
    startTimer(now, 100, () => fired.push(now() - start));
    lag = 0.7;
    vi.advanceTimersByTime(100);
    expect(fired).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(fired.length).toBe(1);
    expect(fired[0]).toBeGreaterThanOrEqual(100);
  });

  it('can be cancelled after it was armed again', () => {
    const callback = vi.fn<() => void>();
    const timer = startTimer(now, 2 * month, callback);
    vi.advanceTimersByTime(month);
    timer.cancel();
    expect(vi.getTimerCount()).toBe(0);
    vi.advanceTimersByTime(2 * month);
    expect(callback).not.toHaveBeenCalled();
  });

  it('asks for no negative time where the process stood still meanwhile', () => {
    const asked = vi.spyOn(globalThis, 'setTimeout');
    const callback = vi.fn<() => void>();
    const leaping = [1_000, 1_045, 1_046];
    startTimer(() => leaping.shift() ?? 1_047, 10, callback);
    expect(asked.mock.calls.map(([, delay]) => delay)).toEqual([0]);
    asked.mockRestore();
    vi.advanceTimersByTime(1);
    expect(callback).toHaveBeenCalledOnce();
  });
});
