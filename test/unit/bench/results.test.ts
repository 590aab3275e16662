import { describe, expect, test } from 'vitest';

import { type PathName, pathNames } from '../../../bench/paths/path.ts';
import type { IdleMemory } from '../../../bench/questions/idle-memory.ts';
import type { ThroughputRound } from '../../../bench/questions/throughput.ts';
import type { WorkerCount } from '../../../bench/questions/workers.ts';
import { describeTftp, plotTftp } from '../../../bench/report/documents.ts';
import { compareThroughput, judgeMemory, judgeWorkers } from '../../../bench/report/expectations.ts';
import { fullCores } from '../../../bench/report/hindrances.ts';
import { replacePlace } from '../../../bench/report/markdown.ts';
import { summarize, type Summary } from '../../../bench/report/summary.ts';
import { renderTftp, type TftpResults } from '../../../bench/report/text.ts';
import { relayCost, resultOf, type ThroughputResult } from '../../../bench/report/throughput-result.ts';
import { place } from '../../../bench/run/cores.ts';
import { throughputLoads } from '../../../bench/suites/tftp-loads.ts';

const idle = { user: 0, system: 0 };

interface Used {
  /** CPU seconds. */
  readonly relay?: number;
  readonly load?: number;
  readonly foreign?: number;
  readonly p99?: number;
}

/** A round of one second. */
function round(units: number, { relay = 0, load = 0.5, foreign = 0.02, p99 }: Used = {}): ThroughputRound {
  const cpu = {
    relay: { user: relay / 4, system: (relay * 3) / 4 },
    generator: { user: load, system: 0 },
    server: idle,
  };
  const latency = p99 === undefined ? undefined : { p50: p99 / 2, p99 };
  return { seconds: 1, units, repeats: 1, errors: 0, cpu, foreign, latency };
}

/** What a path reached in one round. */
function result<Name extends string = PathName>(
  name: string,
  path: Name,
  units: number,
  used?: Used,
): ThroughputResult<Name> {
  const load = throughputLoads[name];
  if (load === undefined) throw new Error(`no load ${name}`);
  return resultOf(name, { load, path, rounds: [round(units, used)] }, 2);
}

/** A summary of those shares of their cores. */
function busy(relay: number, generator: number, server: number): Summary {
  return { ...summarize([round(1)], 2), busy: { relay, generator, server } };
}

function measured(sessions: number, megabytes: number, engine: IdleMemory['engine']): IdleMemory {
  const before = { resident: 90e6, descriptors: 20 };
  const held = { resident: megabytes * 1e6, descriptors: 2_020 };
  return { engine, mode: 'ephemeral', sessions, rounds: [{ before, held }] };
}

function results(some: Partial<TftpResults>): TftpResults {
  const machine = { cpu: 'Abacus', cores: 2, memory: 1, architecture: 'x64', kernel: '6.1', node: '24.0' };
  const nothing = { throughput: [], workers: [], idleMemory: [] };
  const where = { network: 'Over a string', placement: place([0, 1]) };
  return { machine, rounds: 3, window: 1.5, ...where, ...nothing, ...some };
}

describe('a summary', () => {
  const rounds = [round(1_000, { relay: 0.5 }), round(4_000, { relay: 0.4 }), round(2_000, { relay: 0.8 })];
  const summary = summarize(rounds, 2);

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

  test('comes with the medians of what transfers took', () => {
    const load = { kind: 'transfers', sessions: 64, blocks: 1 } as const;
    const rounds = [8, 2, 4].map((p99) => round(1, { p99 }));
    expect(resultOf('one-block', { load, path: 'direct', rounds }, 2).latency).toEqual({ p50: 2, p99: 4 });
    expect(result('64x1', 'direct', 1).latency).toBeUndefined();
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

describe('what the relay costs', () => {
  test('is nothing where there is none', () => {
    expect(relayCost(result('64x1', 'direct', 1), [])).toBeUndefined();
  });

  test('is, of the kernel, what the ends use more than without it', () => {
    const nat = result('64x1', 'kernel-nat', 1e6, { load: 20 });
    const direct = result('64x1', 'direct', 1e6, { load: 14 });
    expect(relayCost(nat, [direct, nat])).toBeCloseTo(6);
    expect(relayCost(nat, [result('8x1', 'direct', 1e6), nat])).toBeUndefined();
  });

  test('is otherwise its own', () => {
    expect(relayCost(result('64x1', 'nginx', 1e6, { relay: 9 }), [])).toBeCloseTo(9);
  });
});

describe('an expectation', () => {
  const nginx = result('64x1', 'nginx', 40_000, { relay: 0.4 });

  test('is about rates under the same load, and tells CPU time', () => {
    const lines = compareThroughput([
      result('64x1', 'direct', 50_000),
      result('64x1', 'portable-single-port', 30_000, { relay: 0.9 }),
      nginx,
      result('8x1', 'portable-single-port', 1, { relay: 1 }),
    ]);
    expect(lines).toEqual([
      'portable-single-port at 64x1: 0.75 of nginx (expected: at least 0.5, reached); 3.00 of its CPU time each',
    ]);
  });

  test('of the linux engine is compared with both', () => {
    const lines = compareThroughput([
      nginx,
      result('64x1', 'kernel-nat', 60_000),
      result('64x1', 'linux-single-port', 59_000, { relay: 0.4 }),
      result('64x1', 'linux-ephemeral', 51_000, { relay: 0.4 }),
    ]);
    expect(lines).toEqual([
      expect.stringMatching(/^linux-ephemeral at 64x1: 0.85 of kernel-nat .* reached\)$/u),
      expect.stringMatching(/^linux-single-port at 64x1: 0.98 of kernel-nat .* NOT reached\)$/u),
      expect.stringMatching(/^linux-single-port at 64x1: 1.48 of nginx .*1.4, reached\)/u),
    ]);
  });

  test('says so when others disturbed it', () => {
    const disturbed = result('64x1', 'nginx', 40_000, { relay: 0.4, foreign: 0.2 });
    const [line] = compareThroughput([result('64x1', 'portable-ephemeral', 30_000, { relay: 1 }), disturbed]);
    expect(line).toMatch(/ \(disturbed by other programs\)$/u);
  });
});

/** What is said of two workers beside one that did 10,000 with a core of its own. */
function judgeSecond(cores: number, rate: number, relay: number): string | undefined {
  const results = [
    result<WorkerCount>('512x1', '1 worker', 10_000, { relay: 1 }),
    result<WorkerCount>('512x1', '2 workers', rate, { relay }),
  ];
  return judgeWorkers({ mode: 'ephemeral', cores, results })[0];
}

describe('a second worker', () => {
  test('with a core of its own is judged by the rate, if the work costs no more', () => {
    expect(judgeSecond(2, 18_000, 1.8)).toBe(
      'linux-ephemeral at 512x1 with two workers: 1.80 of the rate of one at 1.00 of its CPU time each ' +
        '(expected: at least 1.7, reached)',
    );
    expect(judgeSecond(2, 16_000, 1.6)).toContain('NOT reached');
    expect(judgeSecond(2, 18_000, 2.2)).toContain('NOT reached');
  });

  test('on the core of the first one is judged by what the work costs', () => {
    const [cheap, dear] = [judgeSecond(1, 10_000, 1.1), judgeSecond(1, 10_000, 1.25)];
    expect(cheap).toContain('with a core for each, 1.82 of its rate (expected: at least 1.7, reached)');
    expect(dear).toContain('1.60 of its rate (expected: at least 1.7, NOT reached)');
  });
});

describe('memory', () => {
  test('is judged where there are as many sessions as expected to fit', () => {
    expect(judgeMemory([measured(5_000, 199, 'portable')])).toEqual([
      'portable-ephemeral with 5000 idle sessions: 199 MB resident (expected: under 200 MB, reached)',
    ]);
    expect(judgeMemory([measured(5_000, 200, 'portable')])[0]).toContain('NOT reached');
    expect(judgeMemory([measured(1_000, 300, 'portable'), measured(5_000, 300, 'linux')])).toEqual([]);
    expect(judgeMemory([measured(100_000, 190, 'linux')])[0]).toContain(' MB, reached)');
  });

  test('is shown for each session', () => {
    const text = renderTftp(results({ idleMemory: [measured(1_000, 110, 'portable')] }));
    expect(text).toMatch(/^portable-ephemeral +1000 +90\.0 +110\.0 +20\.0 +2020$/mu);
  });
});

const throughput = [
  result('64x1', 'direct', 50_000, { load: 1 }),
  result('64x1', 'kernel-nat', 40_000, { load: 1 }),
  result('64x1', 'linux-ephemeral', 20_000, { relay: 1 }),
  result('64x1', 'nginx', 40_000, { relay: 0.6, load: 0.99, foreign: 0.2 }),
];

test('what a path reached is told in the measure of others', () => {
  const text = renderTftp(results({ throughput }));
  expect(text).toMatch(/^64 sessions, lock-step +direct +50000 +50000 +50000 +1\.00 +1\.25 .* load$/mu);
  expect(text).toMatch(/^64 sessions, lock-step +linux-ephemeral +20000 .* 0\.40 +0\.50 +50\.0 .* relay$/mu);
  expect(text).toContain('so that the relay could do more than is shown: kernel-nat at 64x1; nginx at 64x1.');
  expect(text).toContain('WARNING: other programs used up to 10 % of the cores');
});

describe('documentation', () => {
  test('has a row for each load and a column for each path', () => {
    const text = describeTftp(results({ throughput }));
    expect(text).toContain('|                                |');
    expect(text).toMatch(/^\| +\| direct \| kernel NAT \| +nginx \| +linux \|$/mu);
    expect(text).toMatch(
      /^\| 64 sessions, lock-step: blocks +\| 50,000 \| +40,000 \| 40,000 \| 20,000 \|$/mu,
    );
  });

  test('has its place in a document', () => {
    const document = 'before\n<!-- here -->\nold\n<!-- /here -->\nafter\n';
    const updated = replacePlace(document, 'here', 'new');
    expect(updated).toBe('before\n<!-- here -->\n\nnew\n\n<!-- /here -->\nafter\n');
    expect(replacePlace(updated, 'here', 'new')).toBe(updated);
    expect(() => replacePlace(document, 'there', 'new')).toThrow(RangeError);
  });

  test('shows a bar for each path, as long as its rate is high', () => {
    const svg = plotTftp(results({ throughput }));
    const bars = [...svg.matchAll(/<rect x="\d+" y="\d+" width="(\d+)"/gu)].map(([, width]) => Number(width));
    const [direct = 0, ...others] = bars;
    expect(others.map((width) => (width / direct).toFixed(1))).toEqual(['0.8', '0.8', '0.4']);
    expect(svg).toContain('>64 sessions, lock-step: blocks per second<');
    expect(svg).toContain('>50,000<');
  });

  test('knows all paths', () => {
    const all = pathNames.map((path) => result('1x1', path, 1));
    const svg = plotTftp(results({ throughput: all }));
    expect([...svg.matchAll(/<rect x=/gu)]).toHaveLength(pathNames.length);
    expect(svg).not.toContain('undefined');
  });
});
