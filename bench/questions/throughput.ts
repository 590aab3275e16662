/** How many blocks or transfers a second arrive, along each path, and what each process used for them. */
import { setTimeout as sleep } from 'node:timers/promises';

import type { Load, LoadCount, LoadOrder } from '../messages.ts';
import type { Path } from '../paths/path.ts';
import { busySecondsOf, type CpuTime, cpuTimeOf } from '../run/accounting.ts';
import type { Stage } from '../run/stage.ts';
import { percentile } from '../wire/latencies.ts';
import { noTime, type Round, roundOf, type Usage } from './round.ts';

export type ThroughputLoad = Exclude<Load, { kind: 'idle' }>;

/** Seconds. */
export interface Timing {
  /** From the start of a load to the start of the count. */
  readonly warmup: number;
  readonly window: number;
}

export interface Latency {
  /** Milliseconds that half of the transfers did not exceed. */
  readonly p50: number;
  /** And all but one in a hundred. */
  readonly p99: number;
}

export interface ThroughputRound extends Round {
  /** Undefined of blocks. */
  readonly latency: Latency | undefined;
}

export interface Measured<Name extends string> {
  readonly load: ThroughputLoad;
  readonly path: Name;
  readonly rounds: readonly ThroughputRound[];
}

interface Sample extends Usage {
  readonly count: LoadCount;
}

/** A count is drawn out up to so many times, until the first transfer has ended. */
const maxWindows = 10;

/** Between two loads, for what is under way to arrive. Milliseconds. */
const settling = 100;

/** The paths take turns within each round, so that a change of the machine's mood meets all of them. */
export async function measureThroughput<Name extends string>(
  stage: Stage,
  paths: readonly Path<Name>[],
  load: ThroughputLoad,
  rounds: number,
  timing: Timing,
): Promise<Measured<Name>[]> {
  const measured = paths.map(({ name }) => ({ load, path: name, rounds: [] as ThroughputRound[] }));
  for (let round = 0; round < rounds; round++) {
    for (const [at, path] of paths.entries())
      measured[at]?.rounds.push(await runOnce(stage, path, load, timing));
  }
  return measured;
}

/** Lets the code of everything on the path become as fast as it gets. */
export async function warmUp(
  stage: Stage,
  path: Path<string>,
  load: ThroughputLoad,
  seconds: number,
): Promise<void> {
  await runOnce(stage, path, load, { warmup: 0, window: seconds });
}

async function runOnce(
  stage: Stage,
  path: Path<string>,
  load: ThroughputLoad,
  timing: Timing,
): Promise<ThroughputRound> {
  const order: LoadOrder = { kind: 'start', ends: path.ends, load };
  await stage.generator.ask(order);
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

async function sample({ generator, servers, cores }: Stage, { relay }: Path<string>): Promise<Sample> {
  const count = await generator.ask<LoadCount>({ kind: 'count' });
  return {
    count,
    cpu: {
      relay: relay?.cpuTime() ?? noTime,
      generator: cpuTimeOf(generator.pid),
      server: servers.map(({ child }) => cpuTimeOf(child.pid)).reduce(added),
    },
    busy: busySecondsOf(cores),
  };
}

function difference(before: Sample, after: Sample): ThroughputRound {
  const round = roundOf(before, after, {
    seconds: after.count.at - before.count.at,
    units: after.count.units - before.count.units,
    repeats: after.count.repeats - before.count.repeats,
    errors: after.count.errors - before.count.errors,
  });
  return { ...round, latency: latencyBetween(before.count.latencies, after.count.latencies) };
}

function latencyBetween(before: readonly number[], after: readonly number[]): Latency | undefined {
  const counts = after.map((count, at) => count - (before[at] ?? 0));
  const [p50, p99] = [percentile(counts, 0.5), percentile(counts, 0.99)];
  return p50 === undefined || p99 === undefined ? undefined : { p50, p99 };
}

function added(a: CpuTime, b: CpuTime): CpuTime {
  return { user: a.user + b.user, system: a.system + b.system };
}
