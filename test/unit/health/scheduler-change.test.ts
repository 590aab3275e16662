/** Health checks whose settings change while they go on. */
import { describe, expect, it } from 'vitest';
import { HealthScheduler } from '../../../src/health/scheduler.ts';
import { VirtualClock } from '../../../src/net/memory-clock.ts';
import type { Event, ProbeOutcome } from '../../../src/observe/events.ts';
import { poolOf, smallScoreboard } from '../../helpers/pools.ts';
import { pass } from '../../helpers/virtual-time.ts';

const thresholds = { rise: 1, fall: 1 };

function scene(interval: number) {
  const clock = new VirtualClock();
  const begin = clock.now();
  const board = smallScoreboard();
  const events: Event[] = [];
  const net = {
    now: () => clock.now(),
    setTimer: (delay: number, callback: () => void) => clock.setTimer(delay, callback),
    random: () => 0.5,
  };
  const asked: string[] = [];
  const probe = (name: string, outcome: ProbeOutcome) => ({
    check: async (): Promise<ProbeOutcome> => {
      asked.push(`${name} at ${clock.now() - begin}`);
      return outcome;
    },
  });
  const scheduler = new HealthScheduler(
    { net, probe: probe('old', 'refused'), scoreboard: board, emit: (event) => events.push(event) },
    { service: 'tftp', interval, thresholds, maxAtOnce: 4 },
  );
  const states = (): string[] =>
    events.flatMap((event) => (event.kind === 'backend.state' ? [event.to] : []));
  return { clock, board, scheduler, asked, probe, states };
}

describe('checks that change', () => {
  it('keep what is known, and their beat', async () => {
    const { clock, board, scheduler, asked, probe } = scene(1000);
    scheduler.update(poolOf([1]));
    await pass(clock, 100);
    expect(board.isUp(0)).toBe(false);
    scheduler.configure({ probe: probe('new', 'refused'), interval: 1000, thresholds });
    await pass(clock, 1000);
    expect(board.isUp(0)).toBe(false);
    expect(asked).toEqual(['old at 0', 'new at 1000']);
  });

  it('come in another beat at once', async () => {
    const { clock, scheduler, asked, probe } = scene(60_000);
    scheduler.update(poolOf([1]));
    await pass(clock, 100);
    scheduler.configure({ probe: probe('new', 'alive'), interval: 1000, thresholds });
    await pass(clock, 2100);
    expect(asked).toEqual(['old at 0', 'new at 1100', 'new at 2100']);
  });

  it('that are turned off leave every backend up, and nothing behind', async () => {
    const { clock, board, scheduler, asked, probe, states } = scene(1000);
    scheduler.update(poolOf([1]));
    await pass(clock, 100);
    scheduler.configure({ probe: probe('new', 'refused'), interval: 0, thresholds });
    await pass(clock, 10_000);
    expect([board.isUp(0), states(), clock.pendingTimers]).toEqual([true, ['down', 'up'], 0]);
    expect(asked).toHaveLength(1);
  });

  it('that are turned off in the middle of one do not count it', async () => {
    const { clock, board, scheduler, probe } = scene(1000);
    const answer = Promise.withResolvers<ProbeOutcome>();
    scheduler.configure({ probe: { check: () => answer.promise }, interval: 1000, thresholds });
    scheduler.update(poolOf([1]));
    scheduler.configure({ probe: probe('new', 'refused'), interval: 0, thresholds });
    answer.resolve('refused');
    await pass(clock, 10_000);
    expect([board.isUp(0), clock.pendingTimers]).toEqual([true, 0]);
  });

  it('that are turned on begin at once', async () => {
    const { clock, board, scheduler, asked, probe } = scene(0);
    scheduler.update(poolOf([1]));
    scheduler.configure({ probe: probe('new', 'refused'), interval: 1000, thresholds });
    await pass(clock, 1100);
    expect([asked, board.isUp(0)]).toEqual([['new at 0', 'new at 1000'], false]);
  });
});
