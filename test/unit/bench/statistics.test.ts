import { expect, test } from 'vitest';

import { median, sum } from '../../../bench/report/statistics.ts';

test('the median is the middle one, in whatever order the values come', () => {
  expect(median([30, 10, 20])).toBe(20);
  expect(median([7])).toBe(7);
  expect(median([9, 100, 10, 11])).toBe(10.5);
});

test('values are ordered as numbers', () => {
  expect(median([10, 9, 100])).toBe(10);
});

test('nothing has no median', () => {
  expect(() => median([])).toThrow(RangeError);
});

test('the sum of nothing is zero', () => {
  expect(sum([])).toBe(0);
  expect(sum([1, 2, 3.5])).toBe(6.5);
});
