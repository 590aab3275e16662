import { describe, expect, test } from 'vitest';
import type { Backend, Pool } from '../../../src/balance/pool.ts';
import { OperatorOrders, type OperatorMode } from '../../../src/health/orders.ts';
import { VirtualClock } from '../../../src/net/memory-clock.ts';
import type { Event } from '../../../src/observe/events.ts';
import { poolOf, smallScoreboard } from '../../helpers/pools.ts';

function setUp(pool: Pool = poolOf([3, 1])) {
  const clock = new VirtualClock();
  const board = smallScoreboard();
  const events: Event[] = [];
  const orders = new OperatorOrders(
    { clock, scoreboard: board, emit: (event) => events.push(event) },
    'tftp',
  );
  orders.update(pool);
  const backend = (at: number): Backend => {
    const found = pool.backends[at];
    if (!found) throw new Error(`no backend ${at}`);
    return found;
  };
  const mode = (at: number, mode: OperatorMode): boolean =>
    orders.obey(backend(at), { kind: 'mode', mode }, 'alice');
  const weigh = (at: number, weight: number | undefined): boolean =>
    orders.obey(backend(at), { kind: 'weight', weight }, 'alice');
  const enabled = (): boolean[] => [board.isEnabled(0), board.isEnabled(1)];
  return { clock, board, events, orders, backend, mode, weigh, enabled };
}

const common = { kind: 'backend.state', service: 'tftp', backend: 'b1', address: '192.0.2.1' };

describe('a mode', () => {
  test.each(['draining', 'disabled'] as const)('%s keeps new sessions away until it is enabled', (wish) => {
    const { mode, enabled, orders, events } = setUp();
    expect(enabled()).toEqual([true, true]);
    expect(mode(1, wish)).toBe(true);
    expect([orders.modeOf('b1'), enabled()]).toEqual([wish, [true, false]]);
    expect(mode(1, 'enabled')).toBe(true);
    expect([orders.modeOf('b1'), enabled()]).toEqual(['enabled', [true, true]]);
    expect(events).toEqual([
      { ...common, from: 'enabled', to: wish, reason: 'operator', by: 'alice' },
      { ...common, from: wish, to: 'enabled', reason: 'operator', by: 'alice' },
    ]);
  });

  test('that it has already changes nothing', () => {
    const { mode, events } = setUp();
    expect(mode(1, 'enabled')).toBe(false);
    mode(1, 'draining');
    expect([mode(1, 'draining'), events.length]).toEqual([false, 1]);
  });

  test('may follow another one that is not enabled', () => {
    const { mode, enabled, orders } = setUp();
    mode(1, 'draining');
    expect(mode(1, 'disabled')).toBe(true);
    expect([orders.modeOf('b1'), enabled()]).toEqual(['disabled', [true, false]]);
  });
});

describe('drained', () => {
  test('is told when the last session has ended, once', () => {
    const { clock, board, mode, orders, events } = setUp();
    const [one, other] = [board.writer(0), board.writer(1)];
    one.sessionStarted(0, 1);
    other.sessionStarted(0, 1);
    mode(1, 'draining');
    clock.advance(1000);
    one.sessionEnded(0, 1);
    orders.review();
    expect(events).toHaveLength(1);
    other.sessionEnded(0, 1);
    orders.review();
    orders.review();
    expect(events.slice(1)).toEqual([
      { ...common, from: 'draining', to: 'drained', reason: 'no session is left' },
    ]);
  });

  test('is told of one without sessions in a moment, though nothing happens', () => {
    const { clock, mode, events } = setUp();
    mode(1, 'draining');
    expect(events).toHaveLength(1);
    clock.advance(1000);
    expect(events.at(-1)).toMatchObject({ backend: 'b1', to: 'drained' });
  });

  test('is not told of one that a worker was about to begin a session on', () => {
    const { clock, board, mode, orders, events } = setUp();
    mode(1, 'draining');
    orders.review();
    board.writer(0).sessionStarted(0, 1);
    clock.advance(1000);
    expect(events).toHaveLength(1);
  });

  test('is told again after a transfer that went on behind its end', () => {
    const { clock, board, mode, orders, events } = setUp();
    mode(1, 'draining');
    clock.advance(1000);
    board.writer(0).sessionStarted(0, 1);
    orders.review();
    board.writer(0).sessionEnded(0, 1);
    orders.review();
    expect(events.filter((event) => event.kind === 'backend.state' && event.to === 'drained')).toHaveLength(
      2,
    );
  });

  test('is not told of one that is disabled or enabled by then', () => {
    const { clock, mode, events } = setUp();
    mode(0, 'draining');
    mode(1, 'draining');
    mode(0, 'enabled');
    mode(1, 'disabled');
    clock.advance(1000);
    expect(events.some((event) => event.kind === 'backend.state' && event.to === 'drained')).toBe(false);
  });

  test('is not told after a stop, and no timer is left', () => {
    const { clock, mode, orders } = setUp();
    mode(1, 'draining');
    orders.stop();
    expect(clock.pendingTimers).toBe(0);
  });
});

describe('a weight', () => {
  test('is the one of the operator until it is given back', () => {
    const { weigh, orders, backend, events } = setUp();
    expect(orders.weightOf(backend(0))).toBe(3);
    expect(weigh(0, 7)).toBe(true);
    expect(orders.weightOf(backend(0))).toBe(7);
    expect(weigh(0, undefined)).toBe(true);
    expect(orders.weightOf(backend(0))).toBe(3);
    const told = {
      kind: 'backend.weight',
      service: 'tftp',
      backend: 'b0',
      address: '192.0.2.0',
      by: 'alice',
    };
    expect(events).toEqual([
      { ...told, from: 3, to: 7 },
      { ...told, from: 7, to: 3 },
    ]);
  });

  test('that it has already changes nothing, and stays all the same', () => {
    const { weigh, orders, backend } = setUp();
    expect(weigh(0, 3)).toBe(false);
    expect(orders.weightOf({ ...backend(0), weight: 9 })).toBe(3);
  });
});

describe('when the pool changes', () => {
  test('orders are kept, whatever the row of the backend says', () => {
    const { board, orders, mode, weigh, backend } = setUp();
    mode(1, 'disabled');
    weigh(1, 5);
    orders.update(poolOf([3]));
    board.reset(1);
    const moved = { ...backend(1), index: 4, address: '192.0.2.99', weight: 2 };
    orders.update({ backends: [backend(0), moved] });
    expect([board.isEnabled(0), board.isEnabled(4)]).toEqual([true, false]);
    expect(orders.weightOf(moved)).toBe(5);
  });

  test('a row that another backend has now does not inherit them', () => {
    const { board, orders, mode, backend } = setUp();
    mode(1, 'draining');
    orders.update({ backends: [{ ...backend(1), name: 'other' }] });
    expect(board.isEnabled(1)).toBe(true);
  });

  test('one that has left is not told of', () => {
    const { clock, orders, mode, events } = setUp();
    mode(1, 'draining');
    orders.update(poolOf([3]));
    clock.advance(1000);
    expect(events).toHaveLength(1);
  });
});

describe('orders that move to another process', () => {
  test('are those in force, and are kept for backends that are not there yet', () => {
    const { mode, weigh, orders } = setUp();
    mode(0, 'disabled');
    mode(0, 'enabled');
    mode(1, 'draining');
    weigh(0, 7);
    expect(orders.save()).toEqual([
      { backend: 'b1', mode: 'draining', weight: undefined },
      { backend: 'b0', mode: 'enabled', weight: 7 },
    ]);
    const next = setUp({ backends: [] });
    for (const saved of orders.save()) next.orders.keep(saved);
    next.orders.update(poolOf([3, 1]));
    expect(next.enabled()).toEqual([true, false]);
    expect(poolOf([3, 1]).backends.map((backend) => next.orders.weightOf(backend))).toEqual([7, 1]);
  });
});

describe('a new configuration', () => {
  const same = { kind: 'same' } as const;

  test('that says nothing new of a backend leaves its orders', () => {
    const { mode, weigh, orders, backend, events } = setUp();
    mode(1, 'draining');
    weigh(1, 7);
    orders.revise(() => same);
    expect([orders.modeOf('b1'), orders.weightOf(backend(1)), events.length]).toEqual(['draining', 7, 2]);
  });

  test('that gives it another weight ends the order of a weight alone', () => {
    const { mode, weigh, orders, backend, events } = setUp();
    mode(1, 'draining');
    weigh(0, 5);
    weigh(1, 7);
    orders.revise((name) => (name === 'b1' ? { kind: 'weight', weight: 2 } : same));
    const { weight } = backend(1);
    expect([orders.modeOf('b1'), orders.weightOf(backend(0)), orders.weightOf(backend(1))]).toEqual([
      'draining',
      5,
      weight,
    ]);
    expect(events.at(-1)).toMatchObject({
      kind: 'backend.weight',
      backend: 'b1',
      from: 7,
      to: 2,
      by: 'the configuration',
    });
  });

  test('that has what was ordered ends the order without a word', () => {
    const { weigh, orders, events } = setUp();
    weigh(1, 7);
    orders.revise(() => ({ kind: 'weight', weight: 7 }));
    expect(events).toHaveLength(1);
    expect(orders.weightOf({ name: 'b1', address: '192.0.2.1', port: 69, weight: 3 })).toBe(3);
  });

  test('that no longer has it ends all of its orders, should it come back', () => {
    const { mode, weigh, orders, backend, enabled } = setUp();
    mode(1, 'disabled');
    weigh(1, 7);
    orders.revise((name) => (name === 'b1' ? { kind: 'gone' } : same));
    orders.update(poolOf([3]));
    orders.update(poolOf([3, 1]));
    expect([orders.modeOf('b1'), orders.weightOf(backend(1)), enabled()]).toEqual([
      'enabled',
      1,
      [true, true],
    ]);
  });
});
