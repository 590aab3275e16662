import { expect, test } from 'vitest';
import { SlowStart } from '../../../src/health/slow-start.ts';
import { VirtualClock } from '../../../src/net/memory-clock.ts';

function setUp(duration = 7000) {
  const clock = new VirtualClock();
  const told: number[] = [];
  const start = clock.now();
  const slowStart = new SlowStart(clock, { duration, onStep: () => told.push(clock.now() - start) });
  return { clock, slowStart, told };
}

test('a backend grows in equal steps to its whole weight, and each step is told', () => {
  const { clock, slowStart, told } = setUp();
  slowStart.begin(3);
  const steps = [slowStart.stepOf(3)];
  for (let second = 1; second <= 8; second += 1) {
    clock.advance(1000);
    steps.push(slowStart.stepOf(3));
  }
  expect(steps).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 8]);
  expect(told).toEqual([0, 1000, 2000, 3000, 4000, 5000, 6000, 7000]);
  expect(clock.pendingTimers).toBe(0);
});

test('each has its own time, and who was never begun is warm', () => {
  const { clock, slowStart } = setUp();
  slowStart.begin(0);
  clock.advance(3000);
  slowStart.begin(1);
  clock.advance(2000);
  expect([0, 1, 2].map((index) => slowStart.stepOf(index))).toEqual([6, 3, 8]);
});

test('one that begins anew begins at the first step', () => {
  const { clock, slowStart } = setUp();
  slowStart.begin(0);
  clock.advance(4500);
  slowStart.begin(0);
  expect(slowStart.stepOf(0)).toBe(1);
  clock.advance(999);
  expect(slowStart.stepOf(0)).toBe(1);
  clock.advance(6001);
  expect(slowStart.stepOf(0)).toBe(8);
});

test('one that is out again is not waited for', () => {
  const { clock, slowStart, told } = setUp();
  slowStart.begin(0);
  slowStart.end(0);
  slowStart.end(0);
  slowStart.end(1);
  expect([slowStart.stepOf(0), told.length, clock.pendingTimers]).toEqual([8, 2, 0]);
});

test('without a time nothing happens', () => {
  const { clock, slowStart, told } = setUp(0);
  slowStart.begin(0);
  expect([slowStart.stepOf(0), told, clock.pendingTimers]).toEqual([8, [], 0]);
});

test('after a stop no timer is left', () => {
  const { clock, slowStart } = setUp();
  slowStart.begin(0);
  slowStart.begin(1);
  slowStart.stop();
  expect(clock.pendingTimers).toBe(0);
});

test('another duration counts from the next step on, and none makes all of them warm', () => {
  const { clock, slowStart, told } = setUp();
  slowStart.begin(0);
  slowStart.configure(70_000);
  clock.advance(1000);
  expect(slowStart.stepOf(0)).toBe(2);
  clock.advance(9999);
  expect(slowStart.stepOf(0)).toBe(2);
  clock.advance(1);
  expect(slowStart.stepOf(0)).toBe(3);
  slowStart.configure(0);
  expect([slowStart.stepOf(0), clock.pendingTimers, told]).toEqual([8, 0, [0, 1000, 11_000, 11_000]]);
  slowStart.begin(0);
  expect(slowStart.stepOf(0)).toBe(8);
});
