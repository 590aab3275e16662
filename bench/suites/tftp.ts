/** TFTP over loopback: the balancer in both TID modes, the server itself, and nginx where there is one. */
import { readSystemLimits } from '../../src/net/limits.ts';
import { startBalancer } from '../paths/balancer.ts';
import { startNginx } from '../paths/nginx.ts';
import type { Path } from '../paths/path.ts';
import { type IdleMemory, measureIdleMemory } from '../questions/idle-memory.ts';
import { measureThroughput, type ThroughputLoad, warmUp } from '../questions/throughput.ts';
import { summarize, type ThroughputResult } from '../report/summary.ts';
import { describeLoad, renderTftp, type TftpResults } from '../report/text.ts';
import { openStage, type Stage } from '../run/stage.ts';
import type { Settings } from '../settings.ts';
import type { Suite } from './suite.ts';

const lockStep = (sessions: number): ThroughputLoad => ({ kind: 'blocks', sessions, windowsize: 1 });
const windowed = (sessions: number): ThroughputLoad => ({ kind: 'blocks', sessions, windowsize: 16 });
const oneBlock: ThroughputLoad = { kind: 'transfers', sessions: 64 };

const allLoads = [lockStep(1), lockStep(8), lockStep(64), windowed(8), windowed(64), oneBlock];
const quickLoads = [lockStep(1), lockStep(64), windowed(64), oneBlock];

/** Seconds for which each path is used before anything is counted. */
const warmUpTime = 1;

/** Descriptors of the balancer that are not for sessions that wait. */
const spareDescriptors = 500;

type Say = (line: string) => void;

export const tftp: Suite = {
  run: async (settings, say) => {
    const stage = await openStage(settings.isUrgent);
    const results: TftpResults = {
      placement: stage.placement,
      throughput: await measurePaths(stage, settings, say),
      idleMemory: await measureMemory(stage, settings, say),
    };
    return { text: renderTftp(results, settings), data: results };
  },
};

async function measurePaths(stage: Stage, settings: Settings, say: Say): Promise<ThroughputResult[]> {
  const paths = await openPaths(stage, settings, say);
  say('warming up');
  for (const path of paths) await warmUp(stage, path, lockStep(64), warmUpTime);
  const results: ThroughputResult[] = [];
  for (const load of settings.quick ? quickLoads : allLoads) {
    say(describeLoad(load));
    const able = paths.filter((path) => canCarry(path, load));
    for (const one of await measureThroughput(stage, able, load, settings.rounds, settings.timing)) {
      results.push({ ...one, summary: summarize(one.rounds, stage.cores.length) });
    }
  }
  for (const { relay } of paths) await relay?.stop();
  return results;
}

async function openPaths(stage: Stage, { profiles }: Settings, say: Say): Promise<Path[]> {
  const nodeOptions = profiles === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profiles}`];
  const direct: Path = { name: 'direct', port: stage.ports.ordinary, relay: undefined };
  const nginx = await startNginx(stage, say);
  return [
    direct,
    await startBalancer('ephemeral', stage, nodeOptions),
    await startBalancer('single-port', stage, nodeOptions),
    ...(nginx ? [nginx] : []),
  ];
}

/** nginx does not know when a transfer ends: it would hold a socket for each of thousands of short ones. */
function canCarry({ name }: Path, { kind }: ThroughputLoad): boolean {
  return name !== 'nginx' || kind === 'blocks';
}

async function measureMemory(
  stage: Stage,
  { idleSessions, rounds }: Settings,
  say: Say,
): Promise<IdleMemory[]> {
  const sessions = Math.min(idleSessions, sessionsWithin(readSystemLimits().descriptors));
  say(`${sessions} idle sessions${sessions < idleSessions ? ': descriptors are limited' : ''}`);
  return [
    await measureIdleMemory(stage, 'ephemeral', sessions, rounds),
    await measureIdleMemory(stage, 'single-port', sessions, rounds),
  ];
}

/** How many sessions the balancer can hold with so many descriptors: two each, and some for all else. */
function sessionsWithin(descriptors: number | undefined): number {
  return Math.max(1, Math.floor(((descriptors ?? Infinity) - spareDescriptors) / 2));
}
