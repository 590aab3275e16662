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
    const { clock, board, keeper, events, suspect } = setUp();
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
    const { clock, board, suspect } = setUp();
    suspect(0);
    clock.advance(1000);
    suspect(1);
    clock.advance(duration - 1000);
    expect([board.isEjected(0), board.isEjected(1)]).toEqual([false, true]);
  });

  test('a backend that was down is told as such', () => {
    const { board, events, suspect } = setUp();
    board.setUp(1, false);
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
    const { clock, keeper, suspect } = setUp();
    suspect(0);
    suspect(1);
    keeper.stop();
    expect(clock.pendingTimers).toBe(0);
  });
});
