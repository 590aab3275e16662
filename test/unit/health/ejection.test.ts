import { describe, expect, test } from 'vitest';
import type { Pool } from '../../../src/balance/pool.ts';
import type { Scoreboard } from '../../../src/balance/scoreboard.ts';
import { EjectionKeeper } from '../../../src/health/ejection.ts';
import { VirtualClock } from '../../../src/net/memory-clock.ts';
import type { BackendSuspect, Event } from '../../../src/observe/events.ts';
import { poolOf, smallScoreboard } from '../../helpers/pools.ts';

const duration = 10_000;

function suspicion(index: number, changes: Partial<BackendSuspect> = {}): BackendSuspect {
  return {
    kind: 'backend.suspect',
    service: 'tftp',
    backend: `b${index}`,
    index,
    reason: 'refused',
    ...changes,
  };
}

function setUp(pool: Pool = poolOf([1, 1])): {
  clock: VirtualClock;
  board: Scoreboard;
  keeper: EjectionKeeper;
  events: Event[];
  /** What a data plane does. */
  suspect: (index: number, changes?: Partial<BackendSuspect>) => void;
} {
  const clock = new VirtualClock();
  const board = smallScoreboard();
  const events: Event[] = [];
  const keeper = new EjectionKeeper(
    { clock, scoreboard: board, emit: (event) => events.push(event) },
    { service: 'tftp', duration },
  );
  keeper.update(pool);
  const suspect = (index: number, changes: Partial<BackendSuspect> = {}): void => {
    board.setEjected(index, true);
    keeper.suspected(suspicion(index, changes));
  };
  return { clock, board, keeper, events, suspect };
}

/** Milliseconds that the backend b1 is out. */
function timeOut({ clock, board }: ReturnType<typeof setUp>): number {
  const begin = clock.now();
  while (board.isEjected(1)) clock.step();
  return clock.now() - begin;
}

function ejected(board: Scoreboard): number[] {
  return Array.from({ length: 8 }, (_, index) => index).filter((index) => board.isEjected(index));
}

describe('ejection', () => {
  test('lasts for its time, and its beginning and end are told', () => {
    const { clock, board, events, suspect } = setUp();
    suspect(1);
    clock.advance(duration - 1);
    expect([board.isEjected(0), board.isEjected(1)]).toEqual([false, true]);
    clock.advance(1);
    expect(board.isEjected(1)).toBe(false);
    const common = { kind: 'backend.state', service: 'tftp', backend: 'b1', address: '192.0.2.1' };
    expect(events).toEqual([
      { ...common, from: 'up', to: 'ejected', reason: 'refused' },
      { ...common, from: 'ejected', to: 'readmitted', reason: 'expired' },
    ]);
  });

  test('of which nobody could tell has its time from the moment in which it is found', () => {
    const { clock, board, keeper, events, suspect } = setUp(poolOf([1, 1, 1, 1]));
    suspect(0);
    clock.advance(duration / 2);
    board.setEjected(1, true);
    keeper.adopt();
    keeper.adopt();
    clock.advance(duration / 2);
    expect([board.isEjected(0), board.isEjected(1)]).toEqual([false, true]);
    clock.advance(duration / 2);
    expect(board.isEjected(1)).toBe(false);
    expect(events.slice(1)).toMatchObject([
      { backend: 'b1', to: 'ejected', reason: 'untold' },
      { backend: 'b0', to: 'readmitted' },
      { backend: 'b1', to: 'readmitted' },
    ]);
  });

  test('renewed suspicion renews the time, and is not told again', () => {
    const { clock, board, events, suspect } = setUp();
    suspect(1);
    clock.advance(duration - 1);
    suspect(1, { reason: 'silent' });
    clock.advance(duration - 1);
    expect([board.isEjected(1), events.length]).toEqual([true, 1]);
    clock.advance(1);
    expect([board.isEjected(1), events.length]).toEqual([false, 2]);
  });

  test('each backend has a time of its own', () => {
    const { clock, board, suspect } = setUp(poolOf([1, 1, 1, 1]));
    suspect(0);
    clock.advance(1000);
    suspect(1);
    clock.advance(duration - 1000);
    expect([board.isEjected(0), board.isEjected(1)]).toEqual([false, true]);
  });

  test('a backend that was down is told as such', () => {
    const { board, events, suspect } = setUp();
    for (const index of [0, 1]) board.setUp(index, false);
    suspect(1, { reason: 'silent' });
    expect(events).toEqual([expect.objectContaining({ from: 'down', to: 'ejected', reason: 'silent' })]);
  });

  test('a suspicion that arrives after the flag was cleared sets it again', () => {
    const { clock, board, keeper } = setUp();
    keeper.suspected(suspicion(1));
    expect(board.isEjected(1)).toBe(true);
    clock.advance(duration);
    expect(board.isEjected(1)).toBe(false);
  });

  test('suspicions of another service, another backend or an unknown row change nothing', () => {
    const { clock, board, keeper, events } = setUp();
    keeper.suspected(suspicion(1, { service: 'ftp' }));
    keeper.suspected(suspicion(1, { backend: 'gone' }));
    keeper.suspected(suspicion(7));
    expect([board.isEjected(1), board.isEjected(7), events, clock.pendingTimers]).toEqual([
      false,
      false,
      [],
      0,
    ]);
  });
});

describe('the time', () => {
  test('doubles with each repeat, up to five minutes', () => {
    const scene = setUp();
    const times = Array.from({ length: 8 }, () => {
      scene.suspect(1);
      return timeOut(scene) / 1000;
    });
    expect(times).toEqual([10, 20, 40, 80, 160, 300, 300, 300]);
  });

  test('is forgiven step by step, for as long as it has served well', () => {
    const scene = setUp();
    for (let n = 0; n < 3; n += 1) {
      scene.suspect(1);
      timeOut(scene);
    }
    scene.clock.advance(39_999);
    scene.suspect(1);
    expect(timeOut(scene)).toBe(80_000);
    scene.clock.advance(80_000 + 40_000);
    scene.suspect(1);
    expect(timeOut(scene)).toBe(40_000);
    scene.clock.advance(3_600_000);
    scene.suspect(1);
    expect(timeOut(scene)).toBe(10_000);
  });

  test('does not grow while it runs', () => {
    const scene = setUp();
    for (let n = 0; n < 5; n += 1) scene.suspect(1);
    expect(timeOut(scene)).toBe(10_000);
  });

  test('of a setting that is longer than five minutes stays that', () => {
    const clock = new VirtualClock();
    const board = smallScoreboard();
    const keeper = new EjectionKeeper(
      { clock, scoreboard: board, emit: () => undefined },
      { service: 'tftp', duration: 600_000 },
    );
    keeper.update(poolOf([1, 1]));
    keeper.accuse('b1');
    clock.advance(600_000);
    keeper.accuse('b1');
    clock.advance(599_999);
    expect(board.isEjected(1)).toBe(true);
    clock.advance(1);
    expect(board.isEjected(1)).toBe(false);
  });
});

describe('half of the pool', () => {
  test.each([
    [1, 0],
    [2, 1],
    [3, 1],
    [4, 2],
    [5, 2],
  ])('of %i, no more than %i are ejected, whoever sets the flags', (size, most) => {
    const { board, keeper, suspect, events } = setUp(poolOf(Array<number>(size).fill(1)));
    for (let index = 0; index < size; index += 1) board.setEjected(index, true);
    for (let index = 0; index < size; index += 1) keeper.suspected(suspicion(index));
    expect(ejected(board)).toHaveLength(most);
    for (let index = 0; index < size; index += 1) suspect(index);
    expect(ejected(board)).toHaveLength(most);
    expect(events).toHaveLength(most);
  });

  test('is half of those that are up and enabled', () => {
    const { board, suspect } = setUp(poolOf([1, 1, 1, 1]));
    board.setUp(3, false);
    board.setEnabled(2, false);
    suspect(0);
    suspect(1);
    expect(ejected(board)).toEqual([0]);
  });

  test('takes one in again when others go down, the one that was out first', () => {
    const { board, keeper, suspect, events } = setUp(poolOf([1, 1, 1, 1]));
    suspect(1);
    suspect(0);
    board.setUp(3, false);
    keeper.review();
    expect(ejected(board)).toEqual([0]);
    expect(events.at(-1)).toMatchObject({ backend: 'b1', to: 'readmitted', reason: 'too-few-left' });
    keeper.review();
    expect(ejected(board)).toEqual([0]);
  });

  test('is kept when the pool becomes smaller', () => {
    const { board, keeper, suspect, clock } = setUp(poolOf([1, 1, 1, 1]));
    suspect(0);
    suspect(1);
    keeper.update(poolOf([1, 1]));
    expect(ejected(board)).toEqual([1]);
    clock.advance(duration);
    expect(ejected(board)).toEqual([]);
  });

  test('does not keep one that others are out for from being suspected later', () => {
    const { clock, board, suspect } = setUp();
    suspect(0);
    suspect(1);
    clock.advance(duration);
    suspect(1);
    expect(ejected(board)).toEqual([1]);
  });
});

test('a backend that fails what it is asked for is ejected by its name', () => {
  const { board, keeper, events } = setUp();
  keeper.accuse('b1');
  keeper.accuse('nobody');
  expect(board.isEjected(1)).toBe(true);
  expect(events).toEqual([expect.objectContaining({ backend: 'b1', to: 'ejected', reason: 'errors' })]);
});

describe('when the pool changes', () => {
  test('those that stay stay ejected, with another weight too', () => {
    const { clock, board, keeper, suspect } = setUp();
    suspect(1);
    clock.advance(1000);
    keeper.update(poolOf([5, 5]));
    expect(board.isEjected(1)).toBe(true);
    clock.advance(duration - 1000);
    expect(board.isEjected(1)).toBe(false);
  });

  test('one that has left is forgotten', () => {
    const { clock, keeper, events, suspect } = setUp();
    suspect(1);
    keeper.update(poolOf([1]));
    clock.advance(duration);
    expect([events.length, clock.pendingTimers]).toEqual([1, 0]);
  });

  test('one that returns is not ejected', () => {
    const { board, keeper, suspect } = setUp();
    suspect(1);
    keeper.update(poolOf([1]));
    keeper.update(poolOf([1, 1]));
    expect(board.isEjected(1)).toBe(false);
  });

  test('a row that goes to another backend does not inherit the time', () => {
    const { clock, board, keeper, events, suspect } = setUp();
    const [first, second] = poolOf([1, 1]).backends;
    suspect(1);
    clock.advance(duration / 2);
    const other = second ? [{ ...second, address: '192.0.2.9' }] : [];
    keeper.update({ backends: first ? [first, ...other] : other });
    expect(board.isEjected(1)).toBe(false);
    suspect(1);
    clock.advance(duration / 2);
    expect(board.isEjected(1)).toBe(true);
    expect(events.at(-1)).toMatchObject({ to: 'ejected', address: '192.0.2.9' });
  });

  test('after a stop no timer is left', () => {
    const { clock, keeper, suspect } = setUp(poolOf([1, 1, 1, 1]));
    suspect(0);
    suspect(1);
    keeper.stop();
    expect(clock.pendingTimers).toBe(0);
  });
});
