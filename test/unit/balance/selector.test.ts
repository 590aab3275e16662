import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Eligible, Policy } from '../../../src/balance/pool.ts';
import type { Scoreboard } from '../../../src/balance/scoreboard.ts';
import { Selector } from '../../../src/balance/selector.ts';
import { poolOf, smallScoreboard } from '../../helpers/pools.ts';

const request = { client: '198.51.100.7', file: '', user: '' };
const firstIndex = 5;

/** Remembers what it was offered and takes the first. */
class Recorder implements Policy {
  offered: number[] = [];
  retry = false;

  pick(eligible: Eligible): number {
    this.offered = [...eligible.indexes.subarray(0, eligible.count)];
    this.retry = eligible.retry;
    return this.offered[0] ?? Number.NaN;
  }
}

interface State {
  readonly up: boolean;
  readonly ejected: boolean;
  readonly enabled: boolean;
  readonly full: boolean;
}

/** `u` up, `d` down; then any of `e` ejected, `x` not enabled, `f` full, `t` tried. */
function stateOf(letters: string): State {
  const has = (letter: string): boolean => letters.includes(letter);
  return { up: has('u'), ejected: has('e'), enabled: !has('x'), full: has('f') };
}

const maxPerBackend = 2;

function put(board: Scoreboard, index: number, state: State): void {
  board.setUp(index, state.up);
  board.setEjected(index, state.ejected);
  board.setEnabled(index, state.enabled);
  for (const worker of state.full ? [0, 1] : [0]) board.writer(worker).sessionStarted(0, index);
}

function offer(
  states: readonly State[],
  tried: readonly number[],
): { picked: number; offered: number[]; doubted: boolean } {
  const board = smallScoreboard();
  const recorder = new Recorder();
  const pool = poolOf(
    states.map(() => 1),
    firstIndex,
  );
  for (const [at, state] of states.entries()) put(board, firstIndex + at, state);
  const selector = new Selector(pool, recorder, board, maxPerBackend);
  const picked = selector.select(
    request,
    tried.map((at) => firstIndex + at),
  );
  return { picked, offered: recorder.offered.map((index) => index - firstIndex), doubted: selector.doubted };
}

interface Case {
  readonly rule: string;
  readonly backends: string;
  /** Places of the backends that the policy may choose from; none means that nothing is picked. */
  readonly offered: readonly number[];
  readonly doubted?: true;
}

const cases: readonly Case[] = [
  { rule: 'all that are up', backends: 'u u u', offered: [0, 1, 2] },
  { rule: 'not the ejected while another is there', backends: 'u ue u', offered: [0, 2] },
  { rule: 'not the down while another is there', backends: 'd u d', offered: [1] },
  { rule: 'the ejected before the down', backends: 'd ue de', offered: [1] },
  { rule: 'all the ejected alike', backends: 'ue ue', offered: [0, 1] },
  { rule: 'the ejected when the others have been tried', backends: 'ut ue', offered: [1] },
  { rule: 'the ejected when the others are full', backends: 'uf ue', offered: [1] },
  { rule: 'none that has been tried', backends: 'u ut u', offered: [0, 2] },
  { rule: 'none that is full', backends: 'u uf u', offered: [0, 2] },
  { rule: 'none that is not enabled', backends: 'u ux u', offered: [0, 2] },
  { rule: 'nothing when all have been tried', backends: 'ut uet', offered: [] },
  { rule: 'nothing when all are full', backends: 'uf uef', offered: [] },
  { rule: 'nothing when none is enabled', backends: 'ux dx uex', offered: [] },
  { rule: 'nothing in an empty pool', backends: '', offered: [] },
  { rule: 'all when all are down', backends: 'd d', offered: [0, 1], doubted: true },
  { rule: 'when all are down, the ejected last', backends: 'de d', offered: [1], doubted: true },
  { rule: 'when all are down, the ejected at last', backends: 'de dt', offered: [0], doubted: true },
  { rule: 'when all are down, none that is full', backends: 'd df', offered: [0], doubted: true },
  { rule: 'when all are down and tried, nothing', backends: 'dt dt', offered: [] },
  { rule: 'when all are down, none that is not enabled', backends: 'd dx', offered: [0], doubted: true },
  {
    rule: 'one that is not enabled has no say in whether all are down',
    backends: 'd ux',
    offered: [0],
    doubted: true,
  },
  { rule: 'the only one that is up has been tried: the down stay out', backends: 'ut d', offered: [] },
  { rule: 'the only one that is up is full: the down stay out', backends: 'uf d', offered: [] },
  { rule: 'the only one that is up is ejected and tried: the down stay out', backends: 'uet d', offered: [] },
];

describe('the order of selection', () => {
  test.each(cases)('$rule ($backends)', ({ backends, offered, doubted = false }) => {
    const letters = backends.split(' ').filter((word) => word !== '');
    const tried = letters.flatMap((word, at) => (word.includes('t') ? [at] : []));
    const picked = offered.length > 0 ? firstIndex + (offered[0] ?? 0) : -1;
    expect(offer(letters.map(stateOf), tried)).toEqual({ picked, offered, doubted });
  });

  test('whoever is offered may be picked, and while anybody may be, somebody is', () => {
    const state = fc.record({
      up: fc.boolean(),
      ejected: fc.boolean(),
      enabled: fc.boolean(),
      full: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(state, { maxLength: 8 }), fc.uniqueArray(fc.nat(7)), (states, tried) => {
        const { picked, offered } = offer(states, tried);
        const allDown = states.every(({ up, enabled }) => !up || !enabled);
        const allowed = states.flatMap(({ up, enabled, full }, at) =>
          enabled && !full && !tried.includes(at) && (up || allDown) ? [at] : [],
        );
        expect(allowed).toEqual(expect.arrayContaining(offered));
        expect(picked >= 0).toBe(allowed.length > 0);
      }),
    );
  });
});

describe('from one selection to the next', () => {
  test('a flag that changes counts at once', () => {
    const board = smallScoreboard();
    const recorder = new Recorder();
    const selector = new Selector(poolOf([1, 1]), recorder, board, 0);
    const offeredNow = (): number[] => {
      selector.select(request, []);
      return recorder.offered;
    };
    expect(offeredNow()).toEqual([0, 1]);
    board.setUp(0, false);
    expect([offeredNow(), selector.doubted]).toEqual([[1], false]);
    board.setUp(1, false);
    expect([offeredNow(), selector.doubted]).toEqual([[0, 1], true]);
    board.setUp(0, true);
    expect([offeredNow(), selector.doubted]).toEqual([[0], false]);
  });

  test('a limit of 0 is none', () => {
    const board = smallScoreboard();
    for (let sessions = 0; sessions < 100; sessions += 1) board.writer(0).sessionStarted(0, 0);
    expect(new Selector(poolOf([1]), new Recorder(), board, 0).select(request, [])).toBe(0);
  });

  test('the limit is that of active sessions in all workers together', () => {
    const board = smallScoreboard();
    const selector = new Selector(poolOf([1]), new Recorder(), board, 2);
    board.writer(0).hold(0);
    board.writer(0).hold(0);
    board.writer(0).sessionStarted(0, 0);
    expect(selector.select(request, [])).toBe(0);
    board.writer(1).sessionStarted(0, 0);
    expect(selector.select(request, [])).toBe(-1);
    board.writer(1).sessionEnded(0, 0);
    expect(selector.select(request, [])).toBe(0);
  });

  test('the policy is told of a retry', () => {
    const recorder = new Recorder();
    const selector = new Selector(poolOf([1, 1]), recorder, smallScoreboard(), 0);
    selector.select(request, [0]);
    expect(recorder.retry).toBe(true);
    selector.select(request, []);
    expect(recorder.retry).toBe(false);
  });
});
