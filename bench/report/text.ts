/** The results of the tftp suite as people read them. */
import type { IdleMemory } from '../questions/idle-memory.ts';
import type { ThroughputLoad } from '../questions/throughput.ts';
import { describePlacement, type Placement } from '../run/cores.ts';
import type { Settings } from '../settings.ts';
import { compareWithNginx, judgeMemory } from './expectations.ts';
import { disturbance, fullCores, percent } from './hindrances.ts';
import { median } from './statistics.ts';
import { type ThroughputResult, total } from './summary.ts';
import { type Column, formatTable } from './table.ts';

const throughputColumns: readonly Column[] = [
  { title: 'load', align: 'left' },
  { title: 'path', align: 'left' },
  { title: 'per second', align: 'right' },
  { title: 'lowest', align: 'right' },
  { title: 'highest', align: 'right' },
  { title: 'of direct', align: 'right' },
  { title: 'relay s', align: 'right' },
  { title: 'µs each', align: 'right' },
  { title: 'generator s', align: 'right' },
  { title: 'µs each', align: 'right' },
  { title: 'server s', align: 'right' },
  { title: 'µs each', align: 'right' },
  { title: 'repeats', align: 'right' },
  { title: 'errors', align: 'right' },
  { title: 'others', align: 'right' },
  { title: 'full core', align: 'left' },
];

const memoryColumns: readonly Column[] = [
  { title: 'path', align: 'left' },
  { title: 'idle sessions', align: 'right' },
  { title: 'MB before', align: 'right' },
  { title: 'MB with them', align: 'right' },
  { title: 'kB each', align: 'right' },
  { title: 'descriptors each', align: 'right' },
];

export interface TftpResults {
  readonly placement: Placement;
  readonly throughput: readonly ThroughputResult[];
  readonly idleMemory: readonly IdleMemory[];
}

export function renderTftp({ placement, throughput, idleMemory }: TftpResults, settings: Settings): string {
  const rows = throughput.map((result) => throughputRow(result, throughput, placement));
  const lines = [
    `Over loopback; ${describePlacement(placement)}.`,
    `Blocks or transfers per second: medians of ${settings.rounds} rounds of ${settings.timing.window} s.`,
    'CPU: seconds of all rounds, user and system, and microseconds for each block or transfer.',
    'others: what programs that have nothing to do with this used of the cores meanwhile.',
    '',
    ...formatTable(throughputColumns, rows),
    '',
    ...saturation(throughput, placement),
    ...disturbance(throughput.map(({ summary }) => summary)),
    '',
    ...formatTable(memoryColumns, idleMemory.map(memoryRow)),
    '',
    ...compareWithNginx(throughput),
    ...judgeMemory(idleMemory),
  ];
  return `${lines.join('\n')}\n`;
}

export function describeLoad(load: ThroughputLoad): string {
  const sessions = load.sessions === 1 ? '1 session' : `${load.sessions} sessions`;
  if (load.kind === 'transfers') return `${sessions}, one block each`;
  return load.windowsize === 1 ? `${sessions}, lock-step` : `${sessions}, window ${load.windowsize}`;
}

function throughputRow(
  result: ThroughputResult,
  all: readonly ThroughputResult[],
  placement: Placement,
): string[] {
  const { load, path, summary } = result;
  const direct = all.find((other) => other.load === load && other.path === 'direct')?.summary.rate;
  const { cpu, cost } = summary;
  const cells = (role: 'relay' | 'generator' | 'server'): string[] => [
    total(cpu[role]).toFixed(2),
    cost[role].toFixed(1),
  ];
  return [
    describeLoad(load),
    path,
    ...[summary.rate, summary.lowest, summary.highest].map((rate) => rate.toFixed(0)),
    direct === undefined ? '' : (summary.rate / direct).toFixed(2),
    ...(path === 'direct' ? ['', ''] : cells('relay')),
    ...cells('generator'),
    ...cells('server'),
    String(summary.repeats),
    String(summary.errors),
    percent(summary.foreign),
    fullCores(summary, placement).join(', '),
  ];
}

function memoryRow({ mode, sessions, rounds }: IdleMemory): string[] {
  const before = median(rounds.map((round) => round.before.resident));
  const held = median(rounds.map((round) => round.held.resident));
  const descriptors = median(rounds.map((round) => round.held.descriptors - round.before.descriptors));
  return [
    mode,
    String(sessions),
    (before / 1e6).toFixed(1),
    (held / 1e6).toFixed(1),
    ((held - before) / sessions / 1e3).toFixed(1),
    (descriptors / sessions).toFixed(1),
  ];
}

function saturation(results: readonly ThroughputResult[], placement: Placement): string[] {
  const limited = results.filter(
    ({ path, summary }) =>
      path !== 'direct' && fullCores(summary, placement).some((name) => name !== 'relay'),
  );
  const lines = ['"load" or "generator" or "server" under "full core": those set the pace, not the path.'];
  if (limited.length === 0) return lines;
  const names = limited.map(({ load, path }) => `${path} at ${describeLoad(load)}`);
  return [...lines, `Saturated there, so that the relay could do more than is shown: ${names.join('; ')}.`];
}
