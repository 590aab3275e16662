import { describe, expect, test } from 'vitest';
import type { Pool } from '../../../src/balance/pool.ts';
import type { Scoreboard } from '../../../src/balance/scoreboard.ts';
import type { Probe } from '../../../src/health/probe.ts';
import { HealthScheduler, type HealthSettings } from '../../../src/health/scheduler.ts';
import { VirtualClock } from '../../../src/net/memory-clock.ts';
import type { Endpoint } from '../../../src/net/net.ts';
import type { Event, ProbeOutcome } from '../../../src/observe/events.ts';
import { poolOf, smallScoreboard } from '../../helpers/pools.ts';
import { pass } from '../../helpers/virtual-time.ts';

const duration = 100;

/** Takes its time for each check and says of each address what it was told to. */
class FakeProbe implements Probe {
  readonly outcomes = new Map<string, ProbeOutcome | Error>();
  readonly asked: { readonly address: string; readonly at: number }[] = [];
  running = 0;
  mostAtOnce = 0;
  aborted = 0;
  readonly #clock: VirtualClock;

  constructor(clock: VirtualClock) {
    this.#clock = clock;
  }

  check({ address }: Endpoint, signal: AbortSignal): Promise<ProbeOutcome> {
    this.asked.push({ address, at: this.#clock.now() });
    this.running += 1;
    this.mostAtOnce = Math.max(this.mostAtOnce, this.running);
    const { promise, resolve, reject } = Promise.withResolvers<ProbeOutcome>();
    const timer = this.#clock.setTimer(duration, () => {
      const outcome = this.outcomes.get(address) ?? 'alive';
      if (outcome instanceof Error) reject(outcome);
      else resolve(outcome);
    });
    signal.addEventListener('abort', () => {
      this.aborted += 1;
      timer.cancel();
      reject(signal.reason);
    });
    return promise.finally(() => {
      this.running -= 1;
    });
  }
}

interface Scene {
  readonly clock: VirtualClock;
  readonly probe: FakeProbe;
  readonly board: Scoreboard;
  readonly events: Event[];
  readonly scheduler: HealthScheduler;
  /** Chances that are taken in turn, then 0.5 for ever. */
  readonly chances: number[];
  readonly firstRound: { over: boolean };
  /** Names of those that are to be left alone. */
  readonly resting: Set<string>;
  /** What was told of those that went up or down, with what the scoreboard said by then. */
  readonly turns: (readonly [name: string, isUp: boolean, flag: boolean])[];
}

function setUp(changes: Partial<HealthSettings> = {}): Scene {
  const clock = new VirtualClock();
  const probe = new FakeProbe(clock);
  const board = smallScoreboard();
  const events: Event[] = [];
  const chances: number[] = [];
  const resting = new Set<string>();
  const turns: Scene['turns'] = [];
  const scheduler = new HealthScheduler(
    {
      net: {
        now: () => clock.now(),
        setTimer: (delay, callback) => clock.setTimer(delay, callback),
        random: () => chances.shift() ?? 0.5,
      },
      probe,
      scoreboard: board,
      emit: (event) => events.push(event),
      isResting: ({ name }) => resting.has(name),
      onTurn: ({ name, index }, isUp) => turns.push([name, isUp, board.isUp(index)]),
    },
    { service: 'tftp', interval: 1000, thresholds: { rise: 2, fall: 3 }, maxAtOnce: 10, ...changes },
  );
  const firstRound = { over: false };
  void scheduler.firstRound.then(() => {
    firstRound.over = true;
  });
  return { clock, probe, board, events, scheduler, chances, firstRound, resting, turns };
}

function askedAt(probe: FakeProbe, address: string): number[] {
  const start = probe.asked[0]?.at ?? 0;
  return probe.asked.filter((asked) => asked.address === address).map(({ at }) => at - start);
}

function without(pool: Pool, index: number): Pool {
  return { backends: pool.backends.filter((backend) => backend.index !== index) };
}

describe('the beat', () => {
  test('the first checks are at once, the next ones an interval after the end of each', async () => {
    const { clock, probe, scheduler } = setUp();
    scheduler.update(poolOf([1, 1]));
    await pass(clock, 2300);
    expect(askedAt(probe, '192.0.2.0')).toEqual([0, 1100, 2200]);
    expect(askedAt(probe, '192.0.2.1')).toEqual([0, 1100, 2200]);
  });

  test('jitter moves a beat by a tenth of the interval at most', async () => {
    const { clock, probe, scheduler, chances } = setUp();
    chances.push(0, 1 - Number.EPSILON);
    scheduler.update(poolOf([1, 1]));
    await pass(clock, 1500);
    expect(askedAt(probe, '192.0.2.0')).toEqual([0, 1000]);
    expect(askedAt(probe, '192.0.2.1')[1]).toBeCloseTo(1200, 5);
  });

  test('is five times as fast while it is not clear what a backend is', async () => {
    const { clock, probe, scheduler } = setUp();
    const outcomes: ProbeOutcome[] = ['alive', 'timeout', 'timeout', 'timeout', 'timeout', 'alive', 'alive'];
    scheduler.update(poolOf([1]));
    for (const [at, outcome] of outcomes.entries()) {
      probe.outcomes.set('192.0.2.0', outcome);
      while (probe.asked.length <= at + 1) await pass(clock, 10);
    }
    const times = askedAt(probe, '192.0.2.0');
    // The way down, the way up; between them, and where all is clear, the interval.
    const gaps = times.slice(1).map((time, at) => time - (times[at] ?? 0));
    expect(gaps).toEqual([1100, 300, 300, 1100, 1100, 300, 1100]);
  });

  test('no more checks run at once than allowed, and all get their turn', async () => {
    const { clock, probe, scheduler } = setUp({ maxAtOnce: 2 });
    scheduler.update(poolOf([1, 1, 1, 1, 1]));
    await pass(clock, duration * 3);
    expect(probe.mostAtOnce).toBe(2);
    expect(new Set(probe.asked.map(({ address }) => address)).size).toBe(5);
    await pass(clock, 5000);
    expect(probe.mostAtOnce).toBe(2);
  });

  test('an interval of 0 turns checks off', async () => {
    const { clock, probe, scheduler, board, firstRound } = setUp({ interval: 0 });
    scheduler.update(poolOf([1]));
    await pass(clock, 10_000);
    expect([probe.asked, board.isUp(0), firstRound.over]).toEqual([[], true, true]);
  });
});

describe('what comes of checks', () => {
  test('every check is told', async () => {
    const { clock, probe, scheduler, events } = setUp();
    probe.outcomes.set('192.0.2.1', 'refused');
    scheduler.update(poolOf([1, 1]));
    await pass(clock, duration);
    const common = { kind: 'health.check', service: 'tftp', duration };
    expect(events).toEqual([
      { ...common, backend: 'b0', outcome: 'alive' },
      { ...common, backend: 'b1', outcome: 'refused' },
    ]);
  });

  test('a backend goes down and comes up in the scoreboard, and each change is told once', async () => {
    const { clock, probe, scheduler, board, events } = setUp();
    scheduler.update(poolOf([1, 1]));
    probe.outcomes.set('192.0.2.1', 'timeout');
    await pass(clock, 100 + 300);
    expect(board.isUp(1)).toBe(true);
    await pass(clock, 300);
    expect([board.isUp(0), board.isUp(1)]).toEqual([true, false]);
    probe.outcomes.set('192.0.2.1', 'alive');
    await pass(clock, 1100);
    expect(board.isUp(1)).toBe(false);
    await pass(clock, 300);
    expect([board.isUp(0), board.isUp(1)]).toEqual([true, true]);
    const common = { kind: 'backend.state', service: 'tftp', backend: 'b1', address: '192.0.2.1' };
    expect(events.filter(({ kind }) => kind === 'backend.state')).toEqual([
      { ...common, from: 'up', to: 'down', reason: 'timeout' },
      { ...common, from: 'down', to: 'up', reason: 'alive' },
    ]);
  });

  test('a change is told to who asked for it once the scoreboard has it', async () => {
    const { clock, probe, scheduler, turns } = setUp({ thresholds: { rise: 1, fall: 1 } });
    probe.outcomes.set('192.0.2.1', 'timeout');
    scheduler.update(poolOf([1, 1]));
    await pass(clock, duration);
    probe.outcomes.set('192.0.2.1', 'alive');
    await pass(clock, 1100);
    expect(turns).toEqual([
      ['b1', false, false],
      ['b1', true, true],
    ]);
  });

  test('a probe that breaks its contract counts as failed and is asked again', async () => {
    const { clock, probe, scheduler, events, board } = setUp({ thresholds: { rise: 1, fall: 1 } });
    probe.outcomes.set('192.0.2.0', new Error('broken'));
    scheduler.update(poolOf([1]));
    await pass(clock, 2300);
    expect(events.map((event) => (event.kind === 'health.check' ? event.outcome : event.kind))).toEqual([
      'failed',
      'failed',
      'failed',
    ]);
    expect(board.isUp(0)).toBe(true);
  });
});

describe('the first round', () => {
  test('is over when every backend has been checked once', async () => {
    const { clock, scheduler, firstRound } = setUp({ maxAtOnce: 1 });
    scheduler.update(poolOf([1, 1, 1]));
    await pass(clock, duration * 3 - 1);
    expect(firstRound.over).toBe(false);
    await pass(clock, 1);
    expect(firstRound.over).toBe(true);
  });

  test('does not wait for backends that have left, nor for those that came later', async () => {
    const { clock, scheduler, firstRound } = setUp({ maxAtOnce: 1 });
    const pool = poolOf([1, 1]);
    scheduler.update(pool);
    await pass(clock, duration);
    expect(firstRound.over).toBe(false);
    scheduler.update({ backends: [...without(pool, 1).backends, ...poolOf([1], 7).backends] });
    await pass(clock, 0);
    expect(firstRound.over).toBe(true);
  });

  test.each(['an empty pool', 'a stop'])('is over with %s', async (ending) => {
    const { clock, scheduler, firstRound } = setUp();
    scheduler.update(poolOf(ending === 'a stop' ? [1] : []));
    if (ending === 'a stop') scheduler.stop();
    await pass(clock, 0);
    expect(firstRound.over).toBe(true);
  });

  test('has not begun before there is a pool', async () => {
    const { clock, firstRound } = setUp();
    await pass(clock, 10_000);
    expect(firstRound.over).toBe(false);
  });
});

describe('a backend that rests', () => {
  test('is not checked, and a check that runs is aborted and not told', async () => {
    const { clock, probe, scheduler, resting, events } = setUp();
    scheduler.update(poolOf([1, 1]));
    await pass(clock, 50);
    resting.add('b1');
    scheduler.review();
    await pass(clock, 5000);
    expect([probe.aborted, askedAt(probe, '192.0.2.1')]).toEqual([1, [0]]);
    expect(askedAt(probe, '192.0.2.0').length).toBeGreaterThan(3);
    expect(events.every((event) => event.kind === 'health.check' && event.backend === 'b0')).toBe(true);
  });

  test('stays what it was, and is checked at once when it rests no more', async () => {
    const { clock, probe, scheduler, resting, board } = setUp({ thresholds: { rise: 1, fall: 1 } });
    probe.outcomes.set('192.0.2.0', 'timeout');
    scheduler.update(poolOf([1]));
    await pass(clock, duration);
    resting.add('b0');
    scheduler.review();
    probe.outcomes.set('192.0.2.0', 'alive');
    await pass(clock, 5000);
    expect(board.isUp(0)).toBe(false);
    resting.clear();
    scheduler.review();
    scheduler.review();
    expect(askedAt(probe, '192.0.2.0')).toEqual([0, 5000 + duration]);
    await pass(clock, duration);
    expect(board.isUp(0)).toBe(true);
    await pass(clock, 1100);
    expect(askedAt(probe, '192.0.2.0')).toHaveLength(3);
  });

  test('is not checked when it is new, and nobody waits for it in the first round', async () => {
    const { clock, probe, scheduler, resting, firstRound } = setUp();
    resting.add('b1');
    scheduler.update(poolOf([1, 1]));
    await pass(clock, duration);
    expect([firstRound.over, askedAt(probe, '192.0.2.1')]).toEqual([true, []]);
  });

  test('is no longer waited for in the first round', async () => {
    const { clock, scheduler, resting, firstRound } = setUp({ maxAtOnce: 1 });
    scheduler.update(poolOf([1, 1]));
    await pass(clock, duration);
    resting.add('b1');
    scheduler.review();
    await pass(clock, 0);
    expect(firstRound.over).toBe(true);
  });
});

describe('when the pool changes', () => {
  test('newcomers are checked at once and count as up, whatever the row said', async () => {
    const { clock, probe, scheduler, board } = setUp();
    const pool = poolOf([1, 1]);
    scheduler.update(without(pool, 1));
    await pass(clock, 500);
    board.setUp(1, false);
    scheduler.update(pool);
    expect(board.isUp(1)).toBe(true);
    expect(askedAt(probe, '192.0.2.1')).toEqual([500]);
  });

  test('those that stay keep their beat and their standing, with another weight too', async () => {
    const { clock, probe, scheduler, board } = setUp();
    probe.outcomes.set('192.0.2.0', 'timeout');
    scheduler.update(poolOf([1, 1]));
    await pass(clock, 300 + 150);
    scheduler.update(poolOf([9]));
    await pass(clock, 300);
    expect(askedAt(probe, '192.0.2.0')).toEqual([0, 300, 600]);
    expect(board.isUp(0)).toBe(false);
  });

  test('those that leave are not checked any more, and a check that runs is aborted and not told', async () => {
    const { clock, probe, scheduler, events } = setUp();
    const pool = poolOf([1, 1]);
    scheduler.update(pool);
    await pass(clock, 50);
    scheduler.update(without(pool, 1));
    await pass(clock, 5000);
    expect([probe.aborted, askedAt(probe, '192.0.2.1')]).toEqual([1, [0]]);
    expect(events.every((event) => event.kind === 'health.check' && event.backend === 'b0')).toBe(true);
  });

  test('one that waited for its turn leaves the queue', async () => {
    const { clock, probe, scheduler } = setUp({ maxAtOnce: 1 });
    const pool = poolOf([1, 1]);
    scheduler.update(pool);
    scheduler.update(without(pool, 1));
    await pass(clock, 900);
    expect(askedAt(probe, '192.0.2.1')).toEqual([]);
  });

  test('a row that goes to another backend starts anew', async () => {
    const { clock, probe, scheduler, board } = setUp({ thresholds: { rise: 1, fall: 2 } });
    const [backend] = poolOf([1]).backends;
    probe.outcomes.set('192.0.2.0', 'refused');
    probe.outcomes.set('192.0.2.9', 'refused');
    scheduler.update({ backends: backend ? [backend] : [] });
    await pass(clock, duration);
    scheduler.update({ backends: backend ? [{ ...backend, name: 'other', address: '192.0.2.9' }] : [] });
    await pass(clock, duration);
    expect(board.isUp(0)).toBe(true);
    await pass(clock, 1100);
    expect(board.isUp(0)).toBe(false);
    expect(askedAt(probe, '192.0.2.0')).toEqual([0]);
  });

  test('after a stop nothing runs and nothing is told', async () => {
    const { clock, probe, scheduler, events } = setUp();
    scheduler.update(poolOf([1, 1]));
    await pass(clock, 1150);
    const told = events.length;
    scheduler.stop();
    await pass(clock, 5000);
    expect([events.length, probe.running, clock.pendingTimers]).toEqual([told, 0, 0]);
  });
});
