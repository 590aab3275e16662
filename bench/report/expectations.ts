/** What the balancer should reach, and whether it did. */
import type { PathName } from '../paths/path.ts';
import type { IdleMemory } from '../questions/idle-memory.ts';
import type { WorkerCount } from '../questions/workers.ts';
import { median } from './statistics.ts';
import { notableForeign } from './summary.ts';
import { relayCost, resultFor, type ThroughputResult } from './throughput-result.ts';

/** A share of what another path reaches under the same load, by the median of blocks or transfers per second. */
interface Expectation {
  readonly load: string;
  readonly paths: readonly PathName[];
  readonly of: PathName;
  readonly least: number;
}

const portable = ['portable-ephemeral', 'portable-single-port'] as const;
const linux = ['linux-ephemeral', 'linux-single-port'] as const;

const expectations: readonly Expectation[] = [
  { load: '64x1', paths: portable, of: 'nginx', least: 0.5 },
  { load: '1x1', paths: linux, of: 'nginx', least: 3 },
  { load: '1x1', paths: linux, of: 'kernel-nat', least: 0.3 },
  { load: '64x1', paths: ['linux-ephemeral'], of: 'kernel-nat', least: 0.85 },
  { load: '64x1', paths: ['linux-single-port'], of: 'kernel-nat', least: 1 },
  { load: '64x1', paths: ['linux-single-port'], of: 'nginx', least: 1.4 },
  { load: '8x16', paths: linux, of: 'kernel-nat', least: 1 },
  { load: 'one-block', paths: linux, of: 'kernel-nat', least: 0.9 },
];

/** Of the blocks per second of one worker, at equal CPU time per block. */
const expectedOfWorkers = 1.7;
/** What counts as equal. */
const equalCost = 1.1;

/** Bytes, and the sessions that have to fit in. */
const expectedResident = 200e6;
const expectedSessions = { portable: 5_000, linux: 100_000 } as const;

/** A line for each expectation whose paths took part. */
export function compareThroughput(results: readonly ThroughputResult[]): string[] {
  return expectations.flatMap((expectation) =>
    expectation.paths.flatMap((path) => comparison(expectation, path, results)),
  );
}

function comparison(
  { load, of, least }: Expectation,
  path: PathName,
  results: readonly ThroughputResult[],
): string[] {
  const [own, other] = [resultFor(results, load, path), resultFor(results, load, of)];
  if (own === undefined || other === undefined) return [];
  const ratio = own.summary.rate / other.summary.rate;
  const [ownCost, otherCost] = [relayCost(own, results), relayCost(other, results)];
  const byCpu =
    ownCost === undefined || otherCost === undefined || otherCost === 0
      ? ''
      : `; ${(ownCost / otherCost).toFixed(2)} of its CPU time each`;
  const isDisturbed = Math.max(own.summary.foreign, other.summary.foreign) >= notableForeign;
  return [
    `${path} at ${load}: ${ratio.toFixed(2)} of ${of} ` +
      `(expected: at least ${least}, ${verdict(ratio >= least)})${byCpu}` +
      (isDisturbed ? ' (disturbed by other programs)' : ''),
  ];
}

/** What two workers reached, with a core for each or with one for both. */
export interface WorkersResult {
  readonly mode: string;
  readonly cores: number;
  readonly results: readonly ThroughputResult<WorkerCount>[];
}

/** A line for each load. On one core two workers cannot do more than one: what counts is that they cost no more. */
export function judgeWorkers({ mode, cores, results }: WorkersResult): string[] {
  const [one, two] = (['1 worker', '2 workers'] as const).map((count) =>
    results.find(({ path }) => path === count),
  );
  if (one === undefined || two === undefined) return [];
  const cost = two.summary.cost.relay / one.summary.cost.relay;
  const rate = two.summary.rate / one.summary.rate;
  const label = `linux-${mode} at ${one.name} with two workers`;
  const isReached =
    cores > 1 ? rate >= expectedOfWorkers && cost <= equalCost : 2 / cost >= expectedOfWorkers;
  const detail =
    cores > 1
      ? `${rate.toFixed(2)} of the rate of one at ${cost.toFixed(2)} of its CPU time each`
      : `${cost.toFixed(2)} of the CPU time each of one, both on one core; with a core for each, ` +
        `${(2 / cost).toFixed(2)} of its rate`;
  return [`${label}: ${detail} (expected: at least ${expectedOfWorkers}, ${verdict(isReached)})`];
}

/** A line for each path with as many sessions as the expectation is about. */
export function judgeMemory(results: readonly IdleMemory[]): string[] {
  return results
    .filter(({ engine, sessions }) => sessions >= expectedSessions[engine])
    .map(({ engine, mode, sessions, rounds }) => {
      const resident = median(rounds.map(({ held }) => held.resident));
      return (
        `${engine}-${mode} with ${sessions} idle sessions: ${(resident / 1e6).toFixed(0)} MB resident ` +
        `(expected: under ${expectedResident / 1e6} MB, ${verdict(resident < expectedResident)})`
      );
    });
}

function verdict(isReached: boolean): string {
  return isReached ? 'reached' : 'NOT reached';
}
