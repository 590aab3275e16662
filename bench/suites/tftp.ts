/** TFTP: the balancer's engines in both TID modes, the servers themselves, the kernel's NAT, and nginx where there is one. */
import { readFileSync } from 'node:fs';

import { readSystemLimits } from '../../src/net/limits.ts';
import { hasFlag } from '../paths/balancer.ts';
import { openPaths } from '../paths/open.ts';
import { type Path, type PathName, pathNames } from '../paths/path.ts';
import { type IdleCase, type IdleMemory, measureIdleMemory } from '../questions/idle-memory.ts';
import { measureThroughput, warmUp } from '../questions/throughput.ts';
import { measureWorkers } from '../questions/workers.ts';
import type { WorkersResult } from '../report/expectations.ts';
import { describeTftp, plotTftp } from '../report/documents.ts';
import { describeMachine } from '../report/machine.ts';
import { replacePlace } from '../report/markdown.ts';
import { renderTftp, type TftpResults } from '../report/text.ts';
import { describeLoad, resultOf, type ThroughputResult } from '../report/throughput-result.ts';
import { openStage, type Stage } from '../run/stage.ts';
import { type Settings, UsageError } from '../settings.ts';
import type { Suite } from './suite.ts';
import { throughputLoads } from './tftp-loads.ts';

/** What else can be asked for as if it were a load: memory of sessions that wait, and what a second worker brings. */
const [idle, workers] = ['idle', 'workers'] as const;
const loadNames: readonly string[] = [...Object.keys(throughputLoads), workers, idle];
const quickLoads: readonly string[] = ['1x1', '64x1', '64x16', 'one-block', idle];

/** Loads at which two workers are compared with one. */
const workerLoads = ['512x1', 'one-block'] as const;
const modes = ['ephemeral', 'single-port'] as const;

/** Seconds for which each path is used before anything is counted. */
const warmUpTime = 1;

/** Descriptors of the balancer that are not for sessions that wait. */
const spareDescriptors = 500;

/** A run: what is wanted, and where it is told how far it is. */
interface Run {
  readonly stage: Stage;
  readonly settings: Settings;
  readonly only: readonly PathName[];
  readonly loads: readonly string[];
  readonly say: (line: string) => void;
}

export const tftp: Suite = {
  run: async (settings, say) => {
    const results = settings.from === undefined ? await measure(settings, say) : read(settings.from);
    return {
      text: renderTftp(results),
      data: results,
      documents: [
        { file: 'docs/performance-tftp.svg', update: () => plotTftp(results) },
        {
          file: 'docs/performance.md',
          update: (text) => replacePlace(text, 'figures of tftp', describeTftp(results)),
        },
      ],
    };
  },
};

function read(file: string): TftpResults {
  return JSON.parse(readFileSync(file, 'utf8')) as TftpResults;
}

async function measure(settings: Settings, say: Run['say']): Promise<TftpResults> {
  const only = chosen('path', settings.only ?? pathNames, pathNames);
  const usual = settings.quick ? quickLoads : loadNames;
  const loads = chosen('load', settings.loads ?? usual, loadNames);
  const stage = await openStage(settings.isUrgent, say);
  const run: Run = { stage, settings, only, loads, say };
  return {
    machine: describeMachine(),
    rounds: settings.rounds,
    window: settings.timing.window,
    network: stage.network.description,
    placement: stage.placement,
    throughput: await measurePaths(run),
    workers: await measureAllWorkers(run),
    idleMemory: await measureMemory(run),
  };
}

/** Those of `known` that are in `wanted`. Throws UsageError where one is not known. */
function chosen<T extends string>(what: string, wanted: readonly string[], known: readonly T[]): T[] {
  const strange = wanted.find((name) => !known.some((other) => other === name));
  if (strange !== undefined) {
    throw new UsageError(`no ${what} is called "${strange}"; there are ${known.join(', ')}`);
  }
  return known.filter((name) => wanted.includes(name));
}

async function measurePaths({ stage, settings, only, loads, say }: Run): Promise<ThroughputResult[]> {
  const wanted = Object.entries(throughputLoads).filter(([name]) => loads.includes(name));
  if (wanted.length === 0) return [];
  const { profiles, rounds, timing } = settings;
  const nodeOptions = profiles === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profiles}`];
  const paths = await openPaths(stage, { only, nodeOptions, say });
  say('warming up');
  for (const [name, load] of wanted) {
    for (const path of paths.filter((path) => canCarry(path, name))) {
      await warmUp(stage, path, load, warmUpTime / wanted.length);
    }
  }
  const results: ThroughputResult[] = [];
  for (const [name, load] of wanted) {
    say(describeLoad(load));
    const able = paths.filter((path) => canCarry(path, name));
    const measured = await measureThroughput(stage, able, load, rounds, timing);
    results.push(...measured.map((one) => resultOf(name, one, stage.cores.length)));
  }
  for (const { relay } of paths) await relay?.stop();
  return results;
}

/** nginx does not know when a transfer ends: it would hold a socket for each of thousands of short ones. */
function canCarry({ name }: Path, load: string): boolean {
  return name !== 'nginx' || throughputLoads[load]?.kind === 'blocks';
}

async function measureAllWorkers({ stage, settings, only, loads, say }: Run): Promise<WorkersResult[]> {
  if (!loads.includes(workers)) return [];
  if (!hasFlag(stage, '--engine') || !hasFlag(stage, '--workers')) {
    say('workers are left out: this balancer has none');
    return [];
  }
  const cores = stage.placement.relays?.length ?? 0;
  const all: WorkersResult[] = [];
  for (const mode of modes.filter((mode) => only.includes(`linux-${mode}`))) {
    for (const name of workerLoads) {
      const load = throughputLoads[name];
      if (load === undefined) continue;
      say(`two workers: ${mode}, ${describeLoad(load)}`);
      const measured = await measureWorkers(stage, mode, load, settings.rounds, settings.timing);
      const results = measured.map((one) => resultOf(name, one, stage.cores.length));
      all.push({ mode, cores, results });
    }
  }
  return all;
}

async function measureMemory({ stage, settings, only, loads, say }: Run): Promise<IdleMemory[]> {
  if (!loads.includes(idle)) return [];
  const results: IdleMemory[] = [];
  for (const one of idleCases(stage, settings.quick)) {
    if (!only.includes(`${one.engine}-${one.mode}`)) continue;
    say(`${one.sessions} idle sessions: ${one.engine}-${one.mode}`);
    results.push(await measureIdleMemory(stage, one, settings.rounds));
  }
  return results;
}

function idleCases(stage: Stage, isQuick: boolean): IdleCase[] {
  const descriptors = readSystemLimits().descriptors ?? Infinity;
  // Two for each session, and some for all else.
  const most = Math.max(1, Math.floor((descriptors - spareDescriptors) / 2));
  const portable = Math.min(isQuick ? 1_000 : 5_000, most);
  const cases = modes.map((mode): IdleCase => ({ engine: 'portable', mode, sessions: portable }));
  if (!hasFlag(stage, '--engine')) return cases;
  return [
    ...cases,
    ...modes.map((mode): IdleCase => ({ engine: 'linux', mode, sessions: isQuick ? 5_000 : 100_000 })),
  ];
}
