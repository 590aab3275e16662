/** The results of the tftp suite as people read them in a terminal. */
import type { IdleMemory } from '../questions/idle-memory.ts';
import type { WorkerCount } from '../questions/workers.ts';
import { describePlacement, type Placement } from '../run/cores.ts';
import { compareThroughput, judgeMemory, judgeWorkers, type WorkersResult } from './expectations.ts';
import type { Machine } from './machine.ts';
import { disturbance, fullCores, percent } from './hindrances.ts';
import { median } from './statistics.ts';
import { total } from './summary.ts';
import { type Column, formatTable } from './table.ts';
import { describeLoad, relayCost, resultFor, type ThroughputResult } from './throughput-result.ts';

const throughputColumns: readonly Column[] = [
  { title: 'load', align: 'left' },
  { title: 'path', align: 'left' },
  { title: 'per second', align: 'right' },
  { title: 'lowest', align: 'right' },
  { title: 'highest', align: 'right' },
  { title: 'of direct', align: 'right' },
  { title: 'of kernel', align: 'right' },
  { title: 'p50 ms', align: 'right' },
  { title: 'p99 ms', align: 'right' },
  { title: 'relay µs', align: 'right' },
  { title: 'generator µs', align: 'right' },
  { title: 'server µs', align: 'right' },
  { title: 'repeats', align: 'right' },
  { title: 'errors', align: 'right' },
  { title: 'others', align: 'right' },
  { title: 'full core', align: 'left' },
];

const workerColumns: readonly Column[] = [
  { title: 'linux engine', align: 'left' },
  { title: 'load', align: 'left' },
  { title: 'per second', align: 'right' },
  { title: 'relay s', align: 'right' },
  { title: 'relay µs', align: 'right' },
];

const memoryColumns: readonly Column[] = [
  { title: 'path', align: 'left' },
  { title: 'idle sessions', align: 'right' },
  { title: 'MB before', align: 'right' },
  { title: 'MB with them', align: 'right' },
  { title: 'kB each', align: 'right' },
  { title: 'descriptors', align: 'right' },
];

export interface TftpResults {
  readonly machine: Machine;
  readonly rounds: number;
  /** Seconds of a round. */
  readonly window: number;
  /** What the parts were connected by. */
  readonly network: string;
  readonly placement: Placement;
  readonly throughput: readonly ThroughputResult[];
  readonly workers: readonly WorkersResult[];
  readonly idleMemory: readonly IdleMemory[];
}

export function renderTftp(results: TftpResults): string {
  const { network, placement, rounds, window, throughput, workers, idleMemory } = results;
  const lines = [
    `${network}; ${describePlacement(placement)}.`,
    `Blocks or transfers per second: medians of ${rounds} rounds of ${window} s.`,
    'µs: CPU time for each block or transfer, user and system. What the kernel does for whoever sends is the',
    "sender's; of kernel-nat it is told by what generator and servers use more than without it.",
    'others: what programs that have nothing to do with this used of the cores meanwhile.',
    '',
    ...section(
      throughputColumns,
      throughput.map((result) => throughputRow(result, throughput, placement)),
    ),
    ...saturation(throughput, placement),
    ...disturbance(throughput.map(({ summary }) => summary)),
    '',
    ...section(workerColumns, workers.flatMap(workersRows)),
    ...section(memoryColumns, idleMemory.map(memoryRow)),
    ...compareThroughput(throughput),
    ...workers.flatMap(judgeWorkers),
    ...judgeMemory(idleMemory),
  ];
  return `${lines.join('\n')}\n`;
}

function section(columns: readonly Column[], rows: readonly (readonly string[])[]): string[] {
  return rows.length === 0 ? [] : [...formatTable(columns, rows), ''];
}

function throughputRow(
  result: ThroughputResult,
  all: readonly ThroughputResult[],
  placement: Placement,
): string[] {
  const { name, load, path, summary, latency } = result;
  const of = (other: 'direct' | 'kernel-nat'): string => {
    const rate = resultFor(all, name, other)?.summary.rate;
    return rate === undefined ? '' : (summary.rate / rate).toFixed(2);
  };
  return [
    describeLoad(load),
    path,
    ...[summary.rate, summary.lowest, summary.highest].map((rate) => rate.toFixed(0)),
    of('direct'),
    of('kernel-nat'),
    latency?.p50.toFixed(2) ?? '',
    latency?.p99.toFixed(2) ?? '',
    relayCost(result, all)?.toFixed(1) ?? '',
    summary.cost.generator.toFixed(1),
    summary.cost.server.toFixed(1),
    String(summary.repeats),
    String(summary.errors),
    percent(summary.foreign),
    fullCores(summary, placement).join(', '),
  ];
}

function workersRows({ mode, results }: WorkersResult): string[][] {
  return results.map(({ name, path, summary }: ThroughputResult<WorkerCount>) => [
    `${mode}, ${path}`,
    name,
    summary.rate.toFixed(0),
    total(summary.cpu.relay).toFixed(2),
    summary.cost.relay.toFixed(1),
  ]);
}

function memoryRow({ engine, mode, sessions, rounds }: IdleMemory): string[] {
  const before = median(rounds.map((round) => round.before.resident));
  const held = median(rounds.map((round) => round.held.resident));
  return [
    `${engine}-${mode}`,
    String(sessions),
    (before / 1e6).toFixed(1),
    (held / 1e6).toFixed(1),
    ((held - before) / sessions / 1e3).toFixed(1),
    median(rounds.map((round) => round.held.descriptors)).toFixed(0),
  ];
}

function saturation(results: readonly ThroughputResult[], placement: Placement): string[] {
  const limited = results.filter(
    ({ path, summary }) =>
      path !== 'direct' && fullCores(summary, placement).some((name) => name !== 'relay'),
  );
  const lines = ['"load" or "generator" or "server" under "full core": those set the pace, not the path.'];
  if (limited.length === 0) return lines;
  const names = limited.map(({ name, path }) => `${path} at ${name}`);
  return [...lines, `Saturated there, so that the relay could do more than is shown: ${names.join('; ')}.`];
}
