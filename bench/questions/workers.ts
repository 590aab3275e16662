/** What a second worker brings. */
import { backendsOf } from '../paths/backends.ts';
import { hasFlag, startBalancer, type TidMode } from '../paths/balancer.ts';
import { relayOf } from '../paths/open.ts';
import type { Path } from '../paths/path.ts';
import type { Stage } from '../run/stage.ts';
import { type Measured, measureThroughput, type ThroughputLoad, type Timing } from './throughput.ts';

export const workerCounts = ['1 worker', '2 workers'] as const;
export type WorkerCount = (typeof workerCounts)[number];

/** Two balancers on the same cores, which differ in their workers. */
export async function measureWorkers(
  stage: Stage,
  mode: TidMode,
  load: ThroughputLoad,
  rounds: number,
  timing: Timing,
): Promise<Measured<WorkerCount>[]> {
  const paths: Path<WorkerCount>[] = [];
  for (const [at, name] of workerCounts.entries()) paths.push(await open(stage, mode, name, at + 1));
  try {
    return await measureThroughput(stage, paths, load, rounds, timing);
  } finally {
    for (const { relay } of paths) await relay?.stop();
  }
}

async function open(
  stage: Stage,
  mode: TidMode,
  name: WorkerCount,
  workers: number,
): Promise<Path<WorkerCount>> {
  const backends = backendsOf(stage.servers);
  // On one core, a worker that polls would do it in the other's time.
  const isCrowded = (stage.placement.relays ?? []).length < workerCounts.length;
  const flags = isCrowded && hasFlag(stage, '--busy-poll') ? ['--busy-poll=0'] : [];
  const { target, relay } = await startBalancer(stage, { engine: 'linux', mode, backends, workers, flags });
  return { name, ends: { targets: [target], sources: stage.network.relay.sources }, relay: relayOf(relay) };
}
