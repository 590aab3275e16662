import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatDuration, parseDuration } from '../../../src/config/duration.ts';

describe('parseDuration', () => {
  it.each([
    ['0', 0],
    ['500ms', 500],
    ['1', 1000],
    ['10s', 10_000],
    ['1.5s', 1500],
    ['0.1s', 100],
    ['0.001', 1],
    ['1m', 60_000],
    ['2h', 7_200_000],
  ])('reads %s', (text, milliseconds) => {
    expect(parseDuration(text)).toBe(milliseconds);
  });

  it.each([
    '',
    ' 1s',
    '1 s',
    '-1s',
    '+1s',
    '1d',
    's',
    '1e3',
    '.5s',
    '1.s',
    '0.5ms',
    '1s1ms',
    '1S',
    'Infinity',
  ])('refuses %j', (text) => {
    expect(parseDuration(text)).toBeUndefined();
  });
});

describe('formatDuration', () => {
  it('uses the largest unit that fits', () => {
    expect([0, 1, 1500, 2000, 90_000, 120_000, 7_200_000].map(formatDuration)).toEqual([
      '0',
      '1ms',
      '1500ms',
      '2s',
      '90s',
      '2m',
      '2h',
    ]);
  });

  it('gives what reads back as the same', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 999_999_999 }), (milliseconds) => {
        expect(parseDuration(formatDuration(milliseconds))).toBe(milliseconds);
      }),
    );
  });
});
