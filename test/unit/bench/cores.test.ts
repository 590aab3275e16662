import { describe, expect, test } from 'vitest';

import { coreMask, coresOf, describePlacement, parseCores, place } from '../../../bench/run/cores.ts';

describe('a list of cores', () => {
  test.each([
    ['0', [0]],
    ['0-3', [0, 1, 2, 3]],
    ['1,4-5,9', [1, 4, 5, 9]],
    [' 2-3 ', [2, 3]],
    ['', []],
    ['none', []],
  ])('%j is %j', (text, cores) => {
    expect(parseCores(text)).toEqual(cores);
  });
});

describe('placement', () => {
  test('on one core nothing is pinned', () => {
    const placement = place([0]);
    expect(coresOf(placement)).toEqual([]);
    expect(describePlacement(placement)).toBe('nothing is pinned to a core');
  });

  test('of two cores the relay has one to itself', () => {
    const placement = place([2, 5]);
    expect(placement).toEqual({ relay: 2, relays: [2], generator: 5, server: 5 });
    expect(coresOf(placement)).toEqual([2, 5]);
    expect(describePlacement(placement)).toBe('the relay has core 2, generator and server share core 5');
  });

  test('of three cores each has its own', () => {
    const placement = place([0, 1, 2]);
    expect(placement).toEqual({ relay: 0, relays: [0], generator: 1, server: 2 });
    expect(describePlacement(placement)).toBe(
      'the relay has core 0, the generator has core 1, the server core 2',
    );
  });

  test('from the fourth core on there is one for a second worker', () => {
    const placement = place([0, 1, 2, 3, 4]);
    expect(placement).toEqual({ relay: 0, relays: [0, 3], generator: 1, server: 2 });
    expect(coresOf(placement)).toEqual([0, 3, 1, 2]);
  });
});

test.each([
  [0, '1'],
  [5, '20'],
  [31, '80000000'],
  [32, '1,00000000'],
  [70, '40,00000000,00000000'],
])('core %i is %s to the kernel', (core, mask) => {
  expect(coreMask(core)).toBe(mask);
});
