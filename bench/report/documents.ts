/** The results of the tftp suite as readers of the documentation see them: tables and a plot. */
import type { IdleMemory } from '../questions/idle-memory.ts';
import { type PathName, pathNames } from '../paths/path.ts';
import { describePlacement } from '../run/cores.ts';
import { compareThroughput, judgeMemory, judgeWorkers } from './expectations.ts';
import { formatMarkdown } from './markdown.ts';
import { type Panel, plot } from './plot.ts';
import { median } from './statistics.ts';
import type { TftpResults } from './text.ts';
import { describeLoad, relayCost, resultFor, type ThroughputResult } from './throughput-result.ts';

/** How paths are called, and their bars coloured: what belongs together looks alike. */
const looks: Readonly<Record<PathName, { readonly title: string; readonly color: string }>> = {
  direct: { title: 'direct', color: '#9aa0a6' },
  'kernel-nat': { title: 'kernel NAT', color: '#3f6fc4' },
  'kernel-nat-steered': { title: 'kernel NAT, steered', color: '#9db8ea' },
  nginx: { title: 'nginx', color: '#4c9f70' },
  'portable-ephemeral': { title: 'portable', color: '#e0953f' },
  'portable-single-port': { title: 'portable, single port', color: '#f0c690' },
  'linux-ephemeral': { title: 'linux', color: '#b8324a' },
  'linux-single-port': { title: 'linux, single port', color: '#e08a99' },
};

/** The bars of all loads. */
export function plotTftp({ throughput }: TftpResults): string {
  const panels = loadsOf(throughput).map((name): Panel => {
    const results = pathsOf(throughput).flatMap((path) => resultFor(throughput, name, path) ?? []);
    const bars = results.map(({ path, summary }) => ({
      label: looks[path].title,
      value: summary.rate,
      text: grouped(summary.rate),
      color: looks[path].color,
    }));
    return { title: `${titleOf(results)} per second`, bars };
  });
  return plot('TFTP: blocks and files per second, by load and by path', panels);
}

/** Markdown. */
export function describeTftp(results: TftpResults): string {
  const { machine, network, placement, rounds, window, throughput, workers, idleMemory } = results;
  const { cores, cpu, kernel, node } = machine;
  // Nobody reads a million files of many blocks.
  const short = throughput.filter(({ load }) => load.kind === 'blocks' || load.blocks === 1);
  const busiest = Math.max(0, ...throughput.map(({ summary }) => summary.foreign));
  const verdicts = [
    ...compareThroughput(throughput),
    ...workers.flatMap(judgeWorkers),
    ...judgeMemory(idleMemory),
  ];
  return [
    `${cores} cores of ${cpu}, Linux ${kernel.split('.', 2).join('.')}, Node.js ${node}. ${network}; ${describePlacement(placement)}.`,
    `Medians of ${rounds} rounds of ${window} s. Other programs used up to ${(busiest * 100).toFixed(0)} % of the cores.`,
    '',
    'Blocks of 1,428 bytes, or whole files, per second:',
    '',
    ...table(throughput, ({ summary }) => grouped(summary.rate)),
    '',
    'CPU seconds of the relay for a million of them:',
    '',
    ...table(short, (result) => relayCost(result, throughput)?.toFixed(1) ?? ''),
    '',
    'CPU seconds of generator / servers for a million of them:',
    '',
    ...table(short, ({ summary: { cost } }) => `${cost.generator.toFixed(1)} / ${cost.server.toFixed(1)}`),
    '',
    'Milliseconds that a transfer takes, p50 / p99:',
    '',
    ...table(
      throughput.filter(({ latency }) => latency !== undefined),
      ({ latency }) => `${latency?.p50.toFixed(2) ?? ''} / ${latency?.p99.toFixed(2) ?? ''}`,
    ),
    '',
    'Memory of the balancer with idle sessions, each with its first block:',
    '',
    ...formatMarkdown(
      ['engine', 'sessions', 'MB without them', 'MB with them', 'kB each', 'descriptors'],
      idleMemory.map(memoryRow),
    ),
    '',
    'What is expected, and what this run reached:',
    '',
    ...verdicts.map((line) => `- ${line}`),
  ].join('\n');
}

/** Loads as rows, paths as columns. */
function table(results: readonly ThroughputResult[], cell: (result: ThroughputResult) => string): string[] {
  const paths = pathsOf(results);
  const rows = loadsOf(results).map((name) => {
    const all = paths.map((path) => resultFor(results, name, path));
    const title = titleOf(all.filter((one) => one !== undefined));
    return [title].concat(all.map((one) => (one ? cell(one) : '')));
  });
  return formatMarkdown(['', ...paths.map((path) => looks[path].title)], rows);
}

function loadsOf(results: readonly ThroughputResult[]): string[] {
  return [...new Set(results.map(({ name }) => name))];
}

function pathsOf(results: readonly ThroughputResult[]): PathName[] {
  return pathNames.filter((name) => results.some(({ path }) => path === name));
}

function titleOf([result]: readonly ThroughputResult[]): string {
  if (result === undefined) return '';
  return `${describeLoad(result.load)}: ${result.load.kind === 'transfers' ? 'files' : 'blocks'}`;
}

function memoryRow({ engine, mode, sessions, rounds }: IdleMemory): string[] {
  const before = median(rounds.map((round) => round.before.resident));
  const held = median(rounds.map((round) => round.held.resident));
  return [
    looks[`${engine}-${mode}`].title,
    grouped(sessions),
    (before / 1e6).toFixed(0),
    (held / 1e6).toFixed(0),
    ((held - before) / sessions / 1e3).toFixed(1),
    grouped(median(rounds.map((round) => round.held.descriptors))),
  ];
}

function grouped(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}
