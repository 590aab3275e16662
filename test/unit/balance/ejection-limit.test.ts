import { describe, expect, test } from 'vitest';
import { mayEject, surplusOf } from '../../../src/balance/ejection-limit.ts';
import type { Scoreboard } from '../../../src/balance/scoreboard.ts';
import { poolOf, smallScoreboard } from '../../helpers/pools.ts';

const four = poolOf([1, 1, 1, 1]);

interface Marks {
  readonly down?: readonly number[];
  readonly disabled?: readonly number[];
  readonly ejected?: readonly number[];
}

function boardOf({ down = [], disabled = [], ejected = [] }: Marks): Scoreboard {
  const board = smallScoreboard();
  for (const index of down) board.setUp(index, false);
  for (const index of disabled) board.setEnabled(index, false);
  for (const index of ejected) board.setEjected(index, true);
  return board;
}

describe('a backend may be ejected', () => {
  test.each<[string, Marks, boolean]>([
    ['as the first', {}, true],
    ['as the second of four', { ejected: [1] }, true],
    ['not as the third of four', { ejected: [1, 2] }, false],
    ['again', { ejected: [0, 1] }, true],
    ['not while only one other is up', { down: [1, 2], ejected: [3] }, false],
    ['as one of two that are up', { down: [1, 2] }, true],
    ['not as the only one that is up', { down: [1, 2, 3] }, false],
    ['not beside another one where the rest is disabled', { disabled: [1, 2], ejected: [3] }, false],
    ['not where it is down and others are not', { down: [0] }, false],
    ['not where it is disabled', { disabled: [0] }, false],
    ['where all are down, as one of them', { down: [0, 1, 2, 3], ejected: [1] }, true],
    ['not as the third of four that are down', { down: [0, 1, 2, 3], ejected: [1, 2] }, false],
    ['whatever was said of one that is down', { down: [1], ejected: [1] }, true],
  ])('%s', (_when, marks, expected) => {
    expect(mayEject(four, boardOf(marks), 0)).toBe(expected);
  });

  test('not where it is none of the pool', () => {
    expect(mayEject(four, boardOf({}), 7)).toBe(false);
  });
});

describe('too many are ejected', () => {
  test.each<[string, Marks, number[]]>([
    ['not with two of four', { ejected: [1, 2] }, []],
    ['with two of three that are up', { down: [0], ejected: [2, 1] }, [2]],
    ['with two of two that are left', { disabled: [0, 3], ejected: [2, 1] }, [2]],
    ['with the only one that is left', { down: [0, 1, 3], ejected: [2] }, [2]],
    ['not where those that are ejected are down', { down: [1, 2], ejected: [1, 2] }, []],
  ])('%s', (_when, marks, expected) => {
    expect(surplusOf(four, boardOf(marks), marks.ejected ?? [])).toEqual(expected);
  });
});
