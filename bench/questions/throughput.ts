/** How many blocks or transfers a second arrive, along each path, and what each process used for them. */
import { setTimeout as sleep } from 'node:timers/promises';

import type { Load, LoadCount } from '../messages.ts';
import type { Path, PathName } from '../paths/path.ts';
import { busySecondsOf, type CpuTime, cpuTimeOf } from '../run/accounting.ts';
import type { Stage } from '../run/stage.ts';
import { percentile } from '../wire/latencies.ts';

export const roles = ['relay', 'generator', 'server'] as const;
export type Role = (typeof roles)[number];

export type ThroughputLoad =
  | Extract<Load, { kind: 'blocks' }>
  | Omit<Extract<Load, { kind: 'transfers' }>, 'sources'>;

/** Seconds. */
export interface Timing {
  /** From the start of a load to the start of the count. */
  readonly warmup: number;
  readonly window: number;
}

/** One count. */
export interface Round {
  readonly seconds: number;
  /** Blocks or transfers. */
  readonly units: number;
  readonly repeats: number;
  readonly errors: number;
  /** Milliseconds that a transfer took; undefined of blocks. */
  readonly latency: { readonly p50: number; readonly p99: number } | undefined;
  /** Zero for the relay where there is none. */
  readonly cpu: Readonly<Record<Role, CpuTime>>;
  /** CPU seconds that other programs used on the cores of the bench; 0 where it has none of its own. */
  readonly foreign: number;
}

export interface Measured {
  readonly load: ThroughputLoad;
  readonly path: PathName;
  readonly rounds: readonly Round[];
}

interface Sample {
  readonly count: LoadCount;
  readonly cpu: Readonly<Record<Role, CpuTime>>;
  readonly busy: number;
}

const nothing: CpuTime = { user: 0, system: 0 };

/** A count is drawn out up to so many times, until the first transfer has ended. */
const maxWindows = 10;

/** Between two loads, for what is under way to arrive. Milliseconds. */
const settling = 100;

/** The paths take turns within each round, so that a change of the machine's mood meets all of them. */
export async function measureThroughput(
  stage: Stage,
  paths: readonly Path[],
  load: ThroughputLoad,
  rounds: number,
  timing: Timing,
): Promise<Measured[]> {
  const measured = paths.map((path): Measured & { rounds: Round[] } => ({
    load,
    path: path.name,
    rounds: [],
  }));
  for (let round = 0; round < rounds; round++) {
    for (const [at, path] of paths.entries())
      measured[at]?.rounds.push(await runOnce(stage, path, load, timing));
  }
  return measured;
}

/** Lets the code of everything on the path become as fast as it gets. */
export async function warmUp(stage: Stage, path: Path, load: ThroughputLoad, seconds: number): Promise<void> {
  await runOnce(stage, path, load, { warmup: 0, window: seconds });
}

async function runOnce(stage: Stage, path: Path, load: ThroughputLoad, timing: Timing): Promise<Round> {
  const { targets, sources } = path;
  await stage.generator.ask({ kind: 'start', targets, load: { ...load, sources } });
  try {
    await sleep(timing.warmup * 1_000);
    const before = await sample(stage, path);
    for (let window = 0; window < maxWindows; window++) {
      await sleep(timing.window * 1_000);
      const after = await sample(stage, path);
      if (after.count.units > before.count.units) return difference(before, after);
    }
    throw new Error(`${path.name}: nothing arrives`);
  } finally {
    await stage.generator.ask({ kind: 'stop' });
    await sleep(settling);
  }
}

async function sample({ generator, servers, cores }: Stage, { relay }: Path): Promise<Sample> {
  const count = await generator.ask<LoadCount>({ kind: 'count' });
  return {
    count,
    cpu: {
      relay: relay ? cpuTimeOf(relay.pid) : nothing,
      generator: cpuTimeOf(generator.pid),
      server: servers.map(({ child }) => cpuTimeOf(child.pid)).reduce(added),
    },
    busy: busySecondsOf(cores),
  };
}

function difference(before: Sample, after: Sample): Round {
  const units = after.count.units - before.count.units;
  const cpu = {
    relay: spent(before.cpu.relay, after.cpu.relay),
    generator: spent(before.cpu.generator, after.cpu.generator),
    server: spent(before.cpu.server, after.cpu.server),
  };
  const own = Object.values(cpu).reduce((sum, { user, system }) => sum + user + system, 0);
  return {
    seconds: after.count.at - before.count.at,
    units,
    repeats: after.count.repeats - before.count.repeats,
    errors: after.count.errors - before.count.errors,
    latency: latencyBetween(before.count.latencies, after.count.latencies),
    cpu,
    foreign: Math.max(0, after.busy - before.busy - own),
  };
}

function latencyBetween(before: readonly number[], after: readonly number[]): Round['latency'] {
  const counts = after.map((count, at) => count - (before[at] ?? 0));
  const [p50, p99] = [percentile(counts, 0.5), percentile(counts, 0.99)];
  return p50 === undefined || p99 === undefined ? undefined : { p50, p99 };
}

function added(a: CpuTime, b: CpuTime): CpuTime {
  return { user: a.user + b.user, system: a.system + b.system };
}

function spent(before: CpuTime, after: CpuTime): CpuTime {
  return { user: after.user - before.user, system: after.system - before.system };
}
