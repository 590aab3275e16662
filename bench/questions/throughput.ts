/** How many blocks or transfers a second arrive, along each path, and what each process used for them. */
import { setTimeout as sleep } from 'node:timers/promises';

import type { Load, LoadCount } from '../messages.ts';
import type { Path, PathName } from '../paths/path.ts';
import { busySecondsOf, cpuTimeOf } from '../run/accounting.ts';
import type { Stage } from '../run/stage.ts';
import { noTime, type Round, roundOf, type Usage } from './round.ts';

export type ThroughputLoad = Exclude<Load, { kind: 'idle' }>;

/** Seconds. */
export interface Timing {
  /** From the start of a load to the start of the count. */
  readonly warmup: number;
  readonly window: number;
}

export interface Measured {
  readonly load: ThroughputLoad;
  readonly path: PathName;
  readonly rounds: readonly Round[];
}

interface Sample extends Usage {
  readonly count: LoadCount;
}

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
  await stage.generator.ask({ kind: 'start', port: path.port, load });
  try {
    await sleep(timing.warmup * 1_000);
    const before = await sample(stage, path);
    await sleep(timing.window * 1_000);
    return difference(before, await sample(stage, path), path);
  } finally {
    await stage.generator.ask({ kind: 'stop' });
    await sleep(settling);
  }
}

async function sample({ generator, server, cores }: Stage, { relay }: Path): Promise<Sample> {
  const count = await generator.ask<LoadCount>({ kind: 'count' });
  return {
    count,
    cpu: {
      relay: relay ? cpuTimeOf(relay.pid) : noTime,
      generator: cpuTimeOf(generator.pid),
      server: cpuTimeOf(server.pid),
    },
    busy: busySecondsOf(cores),
  };
}

function difference(before: Sample, after: Sample, path: Path): Round {
  const units = after.count.units - before.count.units;
  if (units === 0) throw new Error(`${path.name}: nothing arrives`);
  return roundOf(before, after, {
    seconds: after.count.at - before.count.at,
    units,
    repeats: after.count.repeats - before.count.repeats,
    errors: after.count.errors - before.count.errors,
  });
}
