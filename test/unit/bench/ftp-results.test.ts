import { describe, expect, test } from 'vitest';

import type { FtpPathName } from '../../../bench/paths/ftp-path.ts';
import type { FtpIdleMemory } from '../../../bench/questions/ftp-idle-memory.ts';
import { type FtpTask, unitsOf } from '../../../bench/questions/ftp-throughput.ts';
import type { Round } from '../../../bench/questions/round.ts';
import { compareWithModProxy, judgeFtpMemory } from '../../../bench/report/ftp-expectations.ts';
import { type FtpResult, renderFtp } from '../../../bench/report/ftp-text.ts';
import { summarize } from '../../../bench/report/summary.ts';
import { place } from '../../../bench/run/cores.ts';
import type { TreeMemory } from '../../../bench/run/process-tree.ts';
import { readSettings } from '../../../bench/settings.ts';

const idle = { user: 0, system: 0 };

/** A round in which the relay used `relay` seconds of its core. */
function round(units: number, seconds: number, relay: number, foreign = 0): Round {
  const cpu = { relay: { user: 0, system: relay }, generator: { user: 0.1, system: 0.1 }, server: idle };
  return { seconds, units, repeats: 1, errors: 2, cpu, foreign };
}

const bulk: FtpTask = {
  name: 'download, 8 sessions',
  unit: 'GiB',
  load: { kind: 'download', sessions: 8, files: 1, bytes: 2 ** 27 },
};
const files: FtpTask = {
  name: 'small files, 1 session',
  unit: 'files',
  load: { kind: 'download', sessions: 1, files: 2_000, bytes: 4_096 },
};
const logins: FtpTask = {
  name: 'logins, 8 at a time',
  unit: 'logins',
  load: { kind: 'logins', sessions: 8, logins: 500 },
};

function result(task: FtpTask, path: FtpPathName, rounds: readonly Round[]): FtpResult {
  return { task, path, rounds, summary: summarize(rounds, 2) };
}

/** Half of the pages are shared. */
function memory(megabytes: number): TreeMemory {
  return { processes: 1, resident: megabytes * 1e6, proportional: (megabytes / 2) * 1e6 };
}

function held(path: FtpPathName, sessions: number, megabytes: number): FtpIdleMemory {
  return { path, sessions, rounds: [{ before: memory(80), held: memory(megabytes) }] };
}

test('what is moved in bulk counts in GiB, all sessions together', () => {
  expect([bulk, files, logins].map(unitsOf)).toEqual([1, 2_000, 500]);
});

describe('the comparison with mod_proxy', () => {
  test('is made round by round, since those were made side by side', () => {
    const own = result(bulk, 'tftp-lb', [round(1, 1, 1), round(1, 4, 1), round(1, 2, 1)]);
    const other = result(bulk, 'mod_proxy', [round(1, 1.1, 2), round(1, 8, 2), round(1, 1, 2)]);
    expect(compareWithModProxy([own, other])).toEqual([
      'download, 8 sessions: 1.10 of mod_proxy by GiB per second (expected: at least 0.95, reached), ' +
        "2.00 by the relay's CPU time",
    ]);
  });

  test('says so when too little is reached, or when others disturbed it', () => {
    const own = result(logins, 'tftp-lb', [round(500, 1, 0.5)]);
    const other = result(logins, 'mod_proxy', [round(500, 1.9, 4, 0.5)]);
    const [line] = compareWithModProxy([own, other]);
    expect(line).toContain('1.90 of mod_proxy by logins per second (expected: at least 2, NOT reached)');
    expect(line).toMatch(/CPU time \(disturbed by other programs\)$/u);
  });

  test('is made for both legs under TLS by itself', () => {
    const all = (['tftp-lb', 'tftp-lb, 2 workers', 'tftp-lb, both legs', 'mod_proxy'] as const).map((path) =>
      result(bulk, path, [round(1, 1, 1)]),
    );
    const other = result(bulk, 'mod_proxy, both legs', [round(1, 2, 1)]);
    expect(compareWithModProxy([...all, other])).toEqual([
      expect.stringContaining('download, 8 sessions: 1.00 of mod_proxy by'),
      expect.stringContaining('download, 8 sessions, both legs: 2.00 of mod_proxy by'),
    ]);
  });

  test('is left out where mod_proxy did not take part', () => {
    expect(compareWithModProxy([result(bulk, 'tftp-lb', [round(1, 1, 1)])])).toEqual([]);
    expect(judgeFtpMemory([held('tftp-lb', 500, 100)])).toEqual([]);
  });

  test('of memory counts what mod_proxy shares only once', () => {
    expect(judgeFtpMemory([held('tftp-lb', 500, 100), held('mod_proxy', 500, 1_000)])).toEqual([
      '500 idle sessions: 100 MB, and mod_proxy 500 MB even if shared pages count once: 5.0 times as much ' +
        '(expected: at least 2, reached)',
    ]);
    expect(judgeFtpMemory([held('tftp-lb', 500, 100), held('mod_proxy', 500, 300)])[0]).toContain(
      'NOT reached',
    );
  });

  test('of memory is made where there are as many sessions as expected', () => {
    expect(judgeFtpMemory([held('tftp-lb', 499, 100), held('mod_proxy', 499, 1_000)])).toEqual([]);
  });
});

test('figures are told in the measure of the direct path, and in a unit that suits them', () => {
  const settings = readSettings(['ftp']);
  if (settings === undefined) throw new Error('no settings');
  const tasks = [
    result(bulk, 'direct', [round(1, 0.5, 0)]),
    result(bulk, 'tftp-lb', [round(1, 1, 0.99, 0.4)]),
    result(files, 'tftp-lb', [round(2_000, 2, 1)]),
  ];
  const idleMemory = [held('tftp-lb', 500, 100)];
  const text = renderFtp({ placement: place([0, 1]), tasks, idleMemory }, settings);
  expect(text).toMatch(/^download, 8 sessions +direct +2\.00 GiB .* 1\.00 +s per GiB +0\.20 +0\.00 /mu);
  expect(text).toMatch(/^download, 8 sessions +tftp-lb +1\.00 GiB .* 0\.50 +s per GiB +0\.99 .* relay$/mu);
  expect(text).toMatch(
    /^small files, 1 session +tftp-lb +1000 files +1000 +1000 +ms per file +0\.50 .* 3 +0 %$/mu,
  );
  expect(text).toMatch(/^tftp-lb +500 +1 +80\.0 +100\.0 +50\.0 +20\.0$/mu);
  expect(text).toContain('WARNING: other programs used up to 20 % of the cores');
});
