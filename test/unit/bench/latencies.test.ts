import { expect, test } from 'vitest';

import { Latencies, percentile } from '../../../bench/wire/latencies.ts';

test('percentiles are as exact as the classes are narrow', () => {
  const latencies = new Latencies();
  for (let time = 1; time <= 1_000; time++) latencies.add(time / 10);
  const counts = latencies.counts();
  expect(percentile(counts, 0.5)).toBeCloseTo(50, -1);
  expect(Math.abs((percentile(counts, 0.5) ?? 0) / 50 - 1)).toBeLessThan(0.03);
  expect(Math.abs((percentile(counts, 0.99) ?? 0) / 99 - 1)).toBeLessThan(0.03);
});

test('what is very short or very long is counted too', () => {
  const latencies = new Latencies();
  for (const time of [0, 1e-6, 1e9]) latencies.add(time);
  expect(latencies.counts().reduce((sum, count) => sum + count)).toBe(3);
});

test('there is no percentile of nothing', () => {
  expect(percentile(new Latencies().counts(), 0.5)).toBeUndefined();
  expect(percentile([], 0.5)).toBeUndefined();
});
