import { describe, expect, test } from 'vitest';

import type { PathName } from '../../../bench/paths/path.ts';
import type { IdleMemory } from '../../../bench/questions/idle-memory.ts';
import type { Round } from '../../../bench/questions/round.ts';
import type { ThroughputLoad } from '../../../bench/questions/throughput.ts';
import { compareWithNginx, judgeMemory } from '../../../bench/report/expectations.ts';
import { fullCores } from '../../../bench/report/hindrances.ts';
import { summarize, type Summary, type ThroughputResult } from '../../../bench/report/summary.ts';
import { renderTftp } from '../../../bench/report/text.ts';
import { place } from '../../../bench/run/cores.ts';
import { readSettings } from '../../../bench/settings.ts';

const idle = { user: 0, system: 0 };

/** A round of one second on one path, in which the relay used `relay` seconds of its core. */
function round(units: number, relay = 0, load = 0.5, foreign = 0.02): Round {
  const cpu = {
    relay: { user: relay / 4, system: (relay * 3) / 4 },
    generator: { user: load, system: 0 },
    server: idle,
  };
  return { seconds: 1, units, repeats: 1, errors: 0, cpu, foreign };
}

const lockStep64: ThroughputLoad = { kind: 'blocks', sessions: 64, windowsize: 1 };

function result(path: PathName, load: ThroughputLoad, rounds: readonly Round[]): ThroughputResult {
  return { load, path, rounds, summary: summarize(rounds, 2) };
}

/** A summary of those shares of their cores. */
function busy(relay: number, generator: number, server: number): Summary {
  return { ...summarize([round(1)], 2), busy: { relay, generator, server } };
}

function measured(sessions: number, megabytes: number): IdleMemory {
  const before = { resident: 90e6, descriptors: 20 };
  const held = { resident: megabytes * 1e6, descriptors: 20 + 2 * sessions };
  return { mode: 'ephemeral', sessions, rounds: [{ before, held }] };
}

describe('a summary', () => {
  const summary = summarize([round(1_000, 0.5), round(4_000, 0.4), round(2_000, 0.8)], 2);

  test('has the median of the rates, and their bounds', () => {
    expect(summary).toMatchObject({ rate: 2_000, lowest: 1_000, highest: 4_000, repeats: 3 });
  });

  test('adds up CPU seconds and has the median of their share in each block', () => {
    expect(summary.cpu.relay.user + summary.cpu.relay.system).toBeCloseTo(1.7);
    expect(summary.cost.relay).toBeCloseTo(400);
    expect(summary.busy.relay).toBeCloseTo(0.5);
  });

  test('tells the share of all cores that others used', () => {
    expect(summary.foreign).toBeCloseTo(0.01);
    expect(summarize([round(1)], 0).foreign).toBe(0);
  });
});

describe('a core is full', () => {
  test('when those that share it have used it up together', () => {
    const placement = place([0, 1]);
    expect(fullCores(busy(0.99, 0.5, 0.47), placement)).toEqual(['relay', 'load']);
    expect(fullCores(busy(0.8, 0.5, 0.4), placement)).toEqual([]);
  });

  test('when the one that has it to itself has used it up', () => {
    const placement = place([0, 1, 2]);
    expect(fullCores(busy(0.5, 0.97, 0.5), placement)).toEqual(['generator']);
    expect(fullCores(busy(0.5, 0.5, 0.5), placement)).toEqual([]);
  });
});

describe('the comparison with nginx', () => {
  const nginx = result('nginx', lockStep64, [round(40_000, 0.4)]);

  test('is by blocks and by CPU time, at 64 lock-step sessions', () => {
    const [line, ...others] = compareWithNginx([
      result('direct', lockStep64, [round(50_000)]),
      result('single-port', lockStep64, [round(30_000, 0.9)]),
      nginx,
      result('single-port', { kind: 'blocks', sessions: 8, windowsize: 1 }, [round(1, 1)]),
    ]);
    expect(others).toEqual([]);
    expect(line).toBe(
      'single-port at 64 sessions: 0.75 of nginx by blocks per second (expected: at least 0.5, reached), ' +
        "0.33 by the relay's CPU time per block",
    );
  });

  test('says so when too little is reached', () => {
    const [line] = compareWithNginx([result('ephemeral', lockStep64, [round(19_000, 1)]), nginx]);
    expect(line).toContain('0.47 of nginx by blocks per second (expected: at least 0.5, NOT reached)');
  });

  test('says so when others disturbed it', () => {
    const disturbed = result('nginx', lockStep64, [round(40_000, 0.4, 0.5, 0.2)]);
    const [line] = compareWithNginx([result('ephemeral', lockStep64, [round(30_000, 1)]), disturbed]);
    expect(line).toMatch(/per block \(disturbed by other programs\)$/u);
  });

  test('is left out where nginx did not take part', () => {
    expect(compareWithNginx([result('single-port', lockStep64, [round(1)])])).toEqual([]);
  });
});

describe('memory', () => {
  test('is judged where there are as many sessions as expected to fit', () => {
    expect(judgeMemory([measured(5_000, 199)])).toEqual([
      'ephemeral with 5000 idle sessions: 199 MB resident (expected: under 200 MB, reached)',
    ]);
    expect(judgeMemory([measured(5_000, 200)])[0]).toContain('NOT reached');
    expect(judgeMemory([measured(1_000, 300)])).toEqual([]);
  });

  test('is shown for each session', () => {
    const settings = readSettings([]);
    if (settings === undefined) throw new Error('no settings');
    const results = { placement: place([]), throughput: [], idleMemory: [measured(1_000, 110)] };
    expect(renderTftp(results, settings)).toMatch(/^ephemeral +1000 +90\.0 +110\.0 +20\.0 +2\.0$/mu);
  });
});

test('what another path reached is told in the measure of the direct one', () => {
  const settings = readSettings([]);
  if (settings === undefined) throw new Error('no settings');
  const text = renderTftp(
    {
      placement: place([0, 1]),
      throughput: [
        result('direct', lockStep64, [round(50_000, 0, 1)]),
        result('ephemeral', lockStep64, [round(20_000, 1)]),
        result('nginx', lockStep64, [round(40_000, 0.6, 0.99, 0.2)]),
      ],
      idleMemory: [],
    },
    settings,
  );
  expect(text).toMatch(/^64 sessions, lock-step +direct +50000 +50000 +50000 +1\.00 .* load$/mu);
  expect(text).toMatch(/^64 sessions, lock-step +ephemeral +20000 .* 0\.40 +1\.00 +50\.0 .* relay$/mu);
  expect(text).toContain('so that the relay could do more than is shown: nginx at 64 sessions, lock-step.');
  expect(text).toContain('WARNING: other programs used up to 10 % of the cores');
});
