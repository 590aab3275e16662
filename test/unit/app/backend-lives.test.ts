import { describe, expect, test } from 'vitest';
import { BackendLives } from '../../../src/app/backend-lives.ts';
import type { Pool } from '../../../src/balance/pool.ts';
import type { HealthConfig } from '../../../src/config/config.ts';
import type { OperatorMode } from '../../../src/health/orders.ts';
import { MemoryNet } from '../../../src/net/memory-net.ts';
import type { Event, ProbeOutcome } from '../../../src/observe/events.ts';
import { poolOf, smallScoreboard } from '../../helpers/pools.ts';
import { pass } from '../../helpers/virtual-time.ts';
import { ended } from '../observe/events.ts';

const health: HealthConfig = {
  interval: 1_000,
  timeout: 500,
  rise: 1,
  fall: 1,
  ejectTime: 10_000,
  ejectErrors: 2,
  slowStart: 7_000,
  probe: { kind: 'protocol' },
};

/** The weights of the pool, made as small as can be. */
function ratios({ backends }: Pool): number[] {
  const weights = backends.map(({ weight }) => weight);
  const divisor = weights.reduce(function gcd(a: number, b: number): number {
    return b === 0 ? a : gcd(b, a % b);
  }, 0);
  return weights.map((weight) => weight / divisor);
}

function setUp(changes: Partial<HealthConfig> = {}, weights: readonly number[] = [1, 1]) {
  const memory = new MemoryNet({ seed: 1 });
  const board = smallScoreboard();
  const outcomes = new Map<string, ProbeOutcome>();
  const checked: string[] = [];
  const events: Event[] = [];
  const pools: number[][] = [];
  const lives = new BackendLives(
    'tftp',
    { ...health, ...changes },
    {
      net: memory.host(['192.0.2.100']),
      scoreboard: board,
      emit: (event) => events.push(event),
      probe: {
        check: async ({ name }) => {
          checked.push(name);
          return outcomes.get(name) ?? 'alive';
        },
      },
      onWeights: () => pools.push(ratios(lives.pool)),
    },
  );
  lives.update(poolOf(weights));
  const order = (name: string, mode: OperatorMode) => lives.obey(name, { kind: 'mode', mode }, 'alice');
  const state = (index: number): { up: boolean; enabled: boolean; ejected: boolean } => {
    return { up: board.isUp(index), enabled: board.isEnabled(index), ejected: board.isEjected(index) };
  };
  return { memory, board, outcomes, checked, events, pools, lives, order, state };
}

describe('a slow start', () => {
  test('is none at the start', async () => {
    const { memory, lives, pools } = setUp();
    await pass(memory, 5_000);
    expect([ratios(lives.pool), pools]).toEqual([[1, 1], []]);
  });

  test('follows when a backend comes up, in pools that follow one another', async () => {
    const { memory, outcomes, pools, state } = setUp();
    outcomes.set('b1', 'timeout');
    await pass(memory, 1_500);
    expect(state(1).up).toBe(false);
    outcomes.delete('b1');
    await pass(memory, 10_000);
    expect(state(1).up).toBe(true);
    expect(pools).toEqual([1, 2, 3, 4, 5, 6, 7].map((step) => ratios(poolOf([8, step]))).concat([[1, 1]]));
  });

  test('ends where the backend goes down again, and begins anew', async () => {
    const { memory, outcomes, lives } = setUp();
    outcomes.set('b1', 'timeout');
    await pass(memory, 1_500);
    outcomes.delete('b1');
    await pass(memory, 3_500);
    const [, warming = 0] = ratios(lives.pool);
    expect(warming).toBeLessThan(8);
    outcomes.set('b1', 'timeout');
    await pass(memory, 1_500);
    expect(ratios(lives.pool)).toEqual([1, 1]);
    outcomes.delete('b1');
    await pass(memory, 1_200);
    expect(ratios(lives.pool)).toEqual([8, 1]);
  });

  test('follows when the operator lets a backend in again', async () => {
    const { memory, lives, order } = setUp();
    order('b0', 'draining');
    order('b0', 'enabled');
    await pass(memory, 1_100);
    expect(ratios(lives.pool)).toEqual([2, 8].map((weight) => weight / 2));
  });

  test('is for backends that discovery brings later, too, and for none that stays', async () => {
    const { memory, lives } = setUp();
    lives.update(poolOf([1, 1, 1]));
    expect(ratios(lives.pool)).toEqual([8, 8, 1]);
    lives.update(poolOf([2, 1, 1]));
    expect(ratios(lives.pool)).toEqual([16, 8, 1]);
    await pass(memory, 10_000);
    expect(ratios(lives.pool)).toEqual([2, 1, 1]);
    lives.update(poolOf([1]));
    lives.update(poolOf([1, 1]));
    expect(ratios(lives.pool)).toEqual([8, 1]);
  });

  test('of many at the same time makes one pool for each step', async () => {
    const { memory, lives, pools } = setUp();
    lives.update(poolOf(Array<number>(10).fill(1)));
    await pass(memory, 10_000);
    expect(pools).toHaveLength(8);
  });

  test('is off by a time of 0', async () => {
    const { memory, outcomes, lives, pools, order } = setUp({ slowStart: 0 });
    outcomes.set('b1', 'timeout');
    await pass(memory, 1_500);
    outcomes.delete('b1');
    order('b0', 'disabled');
    order('b0', 'enabled');
    await pass(memory, 1_500);
    lives.update(poolOf([1, 1, 1]));
    expect([ratios(lives.pool), pools]).toEqual([[1, 1, 1], []]);
  });
});

describe('orders', () => {
  test('for a backend that there is not are not obeyed', () => {
    const { order, events } = setUp();
    expect([order('b7', 'draining'), events]).toEqual([undefined, []]);
  });

  test('say whether they have changed something', () => {
    const { order } = setUp();
    expect(order('b1', 'draining')).toMatchObject({ backend: { index: 1 }, changed: true });
    expect(order('b1', 'draining')).toMatchObject({ changed: false });
  });

  test('to drain leave the health checks on, and to disable turn them off', async () => {
    const { memory, checked, order } = setUp();
    order('b0', 'draining');
    order('b1', 'disabled');
    await pass(memory, 100);
    checked.length = 0;
    await pass(memory, 3_000);
    expect(new Set(checked)).toEqual(new Set(['b0']));
    order('b1', 'enabled');
    await pass(memory, 10);
    expect(checked.at(-1)).toBe('b1');
  });

  test('about weights are in the next pool, and multiply with a slow start', async () => {
    const { memory, lives, pools } = setUp();
    lives.obey('b1', { kind: 'weight', weight: 3 }, 'alice');
    expect(pools).toEqual([[1, 3]]);
    lives.update(poolOf([1, 1, 2]));
    expect(ratios(lives.pool)).toEqual([4, 12, 1]);
    await pass(memory, 10_000);
    expect(ratios(lives.pool)).toEqual([1, 3, 2]);
    lives.obey('b1', { kind: 'weight', weight: undefined }, 'alice');
    expect(ratios(lives.pool)).toEqual([1, 1, 2]);
  });

  test('show in what is said of a backend', async () => {
    const { memory, lives, order } = setUp({}, [4, 1]);
    const [backend] = lives.pool.backends;
    if (!backend) throw new Error('no backend');
    lives.obey('b0', { kind: 'weight', weight: 8 }, 'alice');
    order('b0', 'draining');
    expect(lives.lifeOf(backend)).toEqual({
      operator: 'draining',
      weight: 8,
      configuredWeight: 4,
      effectiveWeight: 8,
    });
    order('b0', 'enabled');
    await pass(memory, 1_500);
    expect(lives.lifeOf(backend)).toMatchObject({ operator: 'enabled', effectiveWeight: 2 });
  });
});

describe('traffic', () => {
  const suspect = {
    kind: 'backend.suspect',
    service: 'tftp',
    backend: 'b1',
    index: 1,
    reason: 'silent',
  } as const;

  test('ejects who is suspected, and who fails in a row', () => {
    const { lives, state } = setUp({}, [1, 1, 1, 1]);
    lives.observe(suspect);
    const failure = ended({
      backend: 'b2',
      result: 'error',
      error: { from: 'backend', code: 3, message: 'full' },
    });
    lives.observe(failure);
    expect([state(1).ejected, state(2).ejected]).toEqual([true, false]);
    lives.observe({ ...failure, service: 'other' });
    expect(state(2).ejected).toBe(false);
    lives.observe(failure);
    expect(state(2).ejected).toBe(true);
  });

  test('ejects no more than half of what checks and the operator leave', async () => {
    const { memory, lives, outcomes, order, state } = setUp({}, [1, 1, 1, 1]);
    lives.observe(suspect);
    lives.observe({ ...suspect, backend: 'b0', index: 0 });
    outcomes.set('b3', 'timeout');
    await pass(memory, 1_200);
    expect([state(0).ejected, state(1).ejected]).toEqual([true, false]);
    order('b2', 'disabled');
    expect([state(0).ejected, state(1).ejected]).toEqual([true, false]);
    order('b1', 'draining');
    expect(state(0).ejected).toBe(false);
  });

  test('of a draining backend that ends is noticed, though its worker has died', async () => {
    const { memory, board, lives, order, events } = setUp();
    board.writer(1).sessionStarted(0, 1);
    order('b1', 'draining');
    await pass(memory, 1_000);
    const drained = () => events.filter((event) => event.kind === 'backend.state' && event.to === 'drained');
    expect(drained()).toEqual([]);
    board.clear(1);
    lives.observe({ kind: 'worker.down', worker: 1, error: 'x', stack: '', lost: { tftp: 1 }, retry: 100 });
    expect(drained()).toHaveLength(1);
  });
});

test('after a stop no timer is left', async () => {
  const { memory, lives, order, outcomes } = setUp();
  outcomes.set('b1', 'timeout');
  lives.observe({ kind: 'backend.suspect', service: 'tftp', backend: 'b1', index: 1, reason: 'silent' });
  order('b0', 'draining');
  order('b0', 'enabled');
  order('b1', 'draining');
  await pass(memory, 50);
  lives.stop();
  await pass(memory, 0);
  expect(memory.pendingTimers).toBe(0);
});
