/** TFTP: the balancer's engines in both TID modes, the servers themselves, the kernel's NAT, and nginx where there is one. */
import { readSystemLimits } from '../../src/net/limits.ts';
import { hasEngines } from '../paths/balancer.ts';
import { openPaths } from '../paths/open.ts';
import { type Path, pathNames } from '../paths/path.ts';
import { type IdleCase, type IdleMemory, measureIdleMemory } from '../questions/idle-memory.ts';
import { measureThroughput, type ThroughputLoad, warmUp } from '../questions/throughput.ts';
import { summarize, type ThroughputResult } from '../report/summary.ts';
import { describeLoad, renderTftp, type TftpResults } from '../report/text.ts';
import { openStage, type Stage } from '../run/stage.ts';
import { type Settings, UsageError } from '../settings.ts';
import type { Suite } from './suite.ts';
import { quickLoads, throughputLoads, warmUpLoad } from './tftp-loads.ts';

/** The load that is memory: sessions that wait. */
const idle = 'idle';
const loadNames: readonly string[] = [...throughputLoads.keys(), idle];

/** Seconds for which each path is used before anything is counted. */
const warmUpTime = 1;

/** Descriptors of the balancer that are not for sessions that wait. */
const spareDescriptors = 500;

type Say = (line: string) => void;

export const tftp: Suite = {
  run: async (settings, say) => {
    const only = chosen('path', settings.only ?? pathNames, pathNames);
    const usual = settings.quick ? [...quickLoads, idle] : loadNames;
    const loads = chosen('load', settings.loads ?? usual, loadNames);
    const stage = await openStage({ isUrgent: settings.isUrgent, say });
    const nodeOptions =
      settings.profiles === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${settings.profiles}`];
    const paths = loads.some((load) => load !== idle)
      ? await openPaths(stage, { only, nodeOptions, say })
      : [];
    const throughput = await measurePaths(stage, paths, loads, settings, say);
    for (const { relay } of paths) await relay?.stop();
    const results: TftpResults = {
      network: stage.network.description,
      placement: stage.placement,
      throughput,
      idleMemory: loads.includes(idle) ? await measureMemory(stage, settings, only, say) : [],
    };
    return { text: renderTftp(results, settings), data: results };
  },
};

/** Those of `known` that are in `wanted`. Throws UsageError where one is not known. */
function chosen<T extends string>(what: string, wanted: readonly string[], known: readonly T[]): T[] {
  const strange = wanted.find((name) => !known.some((other) => other === name));
  if (strange !== undefined) {
    throw new UsageError(`no ${what} is called "${strange}"; there are ${known.join(', ')}`);
  }
  return known.filter((name) => wanted.includes(name));
}

async function measurePaths(
  stage: Stage,
  paths: readonly Path[],
  loads: readonly string[],
  { rounds, timing }: Settings,
  say: Say,
): Promise<ThroughputResult[]> {
  say('warming up');
  for (const path of paths) await warmUp(stage, path, warmUpLoad, warmUpTime);
  const results: ThroughputResult[] = [];
  for (const [name, load] of throughputLoads) {
    if (!loads.includes(name)) continue;
    say(describeLoad(load));
    const able = paths.filter((path) => canCarry(path, load));
    for (const one of await measureThroughput(stage, able, load, rounds, timing)) {
      results.push({ ...one, summary: summarize(one.rounds, stage.cores.length) });
    }
  }
  return results;
}

/** nginx does not know when a transfer ends: it would hold a socket for each of thousands of short ones. */
function canCarry({ name }: Path, { kind }: ThroughputLoad): boolean {
  return name !== 'nginx' || kind === 'blocks';
}

async function measureMemory(
  stage: Stage,
  { rounds, quick }: Settings,
  only: readonly string[],
  say: Say,
): Promise<IdleMemory[]> {
  const results: IdleMemory[] = [];
  for (const one of idleCases(stage, quick)) {
    if (!only.includes(`${one.engine}-${one.mode}`)) continue;
    say(`${one.sessions} idle sessions: ${one.engine}-${one.mode}`);
    results.push(await measureIdleMemory(stage, one, rounds));
  }
  return results;
}

function idleCases({ balancer }: Stage, quick: boolean): IdleCase[] {
  const modes = ['ephemeral', 'single-port'] as const;
  const descriptors = readSystemLimits().descriptors ?? Infinity;
  // Two for each session, and some for all else.
  const most = Math.max(1, Math.floor((descriptors - spareDescriptors) / 2));
  const portable = Math.min(quick ? 1_000 : 5_000, most);
  const cases = modes.map((mode): IdleCase => ({ engine: 'portable', mode, sessions: portable }));
  if (!hasEngines(balancer)) return cases;
  return [
    ...cases,
    ...modes.map((mode): IdleCase => ({ engine: 'linux', mode, sessions: quick ? 5_000 : 100_000 })),
  ];
}
