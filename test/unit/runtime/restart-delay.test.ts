import { expect, test } from 'vitest';
import { RestartDelay } from '../../../src/runtime/restart-delay.ts';

const delaysOf = (lives: readonly number[]): number[] => {
  const delay = new RestartDelay();
  return lives.map((life) => delay.next(life));
};

test('a worker that dies young again and again waits twice as long each time, up to 10 s', () => {
  const lives = Array.from({ length: 9 }, () => 50);
  expect(delaysOf(lives)).toEqual([100, 200, 400, 800, 1_600, 3_200, 6_400, 10_000, 10_000]);
});

test('a minute of life makes it begin anew', () => {
  expect(delaysOf([0, 0, 59_999, 60_000, 0])).toEqual([100, 200, 400, 100, 200]);
});
