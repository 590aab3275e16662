/** The results of the ftp suite as people read them. */
import type { FtpIdleMemory } from '../questions/ftp-idle-memory.ts';
import type { FtpMeasured, FtpUnit } from '../questions/ftp-throughput.ts';
import type { Role } from '../questions/round.ts';
import { describePlacement, type Placement } from '../run/cores.ts';
import type { TreeMemory } from '../run/process-tree.ts';
import type { Settings } from '../settings.ts';
import { compareWithModProxy, judgeFtpMemory } from './ftp-expectations.ts';
import { disturbance, fullCores, percent } from './hindrances.ts';
import { median } from './statistics.ts';
import type { Summary } from './summary.ts';
import { type Column, formatTable } from './table.ts';

export interface FtpResult extends FtpMeasured {
  readonly summary: Summary;
}

export interface FtpResults {
  readonly placement: Placement;
  readonly tasks: readonly FtpResult[];
  readonly idleMemory: readonly FtpIdleMemory[];
}

const taskColumns: readonly Column[] = [
  { title: 'load', align: 'left' },
  { title: 'path', align: 'left' },
  { title: 'per second', align: 'right' },
  { title: 'lowest', align: 'right' },
  { title: 'highest', align: 'right' },
  { title: 'of direct', align: 'right' },
  { title: 'CPU each', align: 'left' },
  { title: 'relay', align: 'right' },
  { title: 'generator', align: 'right' },
  { title: 'server', align: 'right' },
  { title: 'refused', align: 'right' },
  { title: 'others', align: 'right' },
  { title: 'full core', align: 'left' },
];

const memoryColumns: readonly Column[] = [
  { title: 'path', align: 'left' },
  { title: 'idle sessions', align: 'right' },
  { title: 'processes', align: 'right' },
  { title: 'MB before', align: 'right' },
  { title: 'MB with them', align: 'right' },
  { title: 'shared pages once', align: 'right' },
  { title: 'kB each', align: 'right' },
];

/** What CPU time is told in, and how many of these a second has. */
const cpuUnits: Readonly<Record<FtpUnit, { readonly name: string; readonly perSecond: number }>> = {
  GiB: { name: 's per GiB', perSecond: 1 },
  files: { name: 'ms per file', perSecond: 1_000 },
  logins: { name: 'ms per login', perSecond: 1_000 },
};

export function renderFtp({ placement, tasks, idleMemory }: FtpResults, { rounds }: Settings): string {
  const lines = [
    `Over loopback; ${describePlacement(placement)}, with all processes of each.`,
    `Medians of ${rounds} rounds, in which the paths took turns.`,
    'refused: sessions that were turned away, or closed before they had logged in, in all rounds.',
    'others: what programs that have nothing to do with this used of the cores meanwhile.',
    '"load" or "generator" or "server" under "full core": those set the pace, not the path.',
    '',
    ...formatTable(
      taskColumns,
      tasks.map((result) => taskRow(result, tasks, placement)),
    ),
    '',
    ...disturbance(tasks.map(({ summary }) => summary)),
    '',
    ...(idleMemory.length === 0 ? [] : [...formatTable(memoryColumns, idleMemory.map(memoryRow)), '']),
    ...compareWithModProxy(tasks),
    ...judgeFtpMemory(idleMemory),
  ];
  return `${lines.join('\n')}\n`;
}

function taskRow(result: FtpResult, all: readonly FtpResult[], placement: Placement): string[] {
  const { task, path, summary } = result;
  const direct = all.find((other) => other.task.name === task.name && other.path === 'direct');
  const rate = (value: number): string => value.toFixed(task.unit === 'GiB' ? 2 : 0);
  const unit = cpuUnits[task.unit];
  const cost = (role: Role): string => ((summary.cost[role] / 1e6) * unit.perSecond).toFixed(2);
  return [
    task.name,
    path,
    `${rate(summary.rate)} ${task.unit}`,
    rate(summary.lowest),
    rate(summary.highest),
    direct === undefined ? '' : (summary.rate / direct.summary.rate).toFixed(2),
    unit.name,
    path === 'direct' ? '' : cost('relay'),
    cost('generator'),
    cost('server'),
    String(summary.repeats + summary.errors),
    percent(summary.foreign),
    fullCores(summary, placement).join(', '),
  ];
}

function memoryRow({ path, sessions, rounds }: FtpIdleMemory): string[] {
  const megabytes = (of: (memory: TreeMemory) => number, when: 'before' | 'held'): number =>
    median(rounds.map((round) => of(round[when]))) / 1e6;
  const resident = (when: 'before' | 'held'): number => megabytes((memory) => memory.resident, when);
  const once = (when: 'before' | 'held'): number => megabytes((memory) => memory.proportional, when);
  return [
    path,
    String(sessions),
    String(median(rounds.map(({ held }) => held.processes))),
    resident('before').toFixed(1),
    resident('held').toFixed(1),
    once('held').toFixed(1),
    (((once('held') - once('before')) / sessions) * 1e3).toFixed(1),
  ];
}
