/** What sessions cost in memory that have got their first block and wait. */
import type { LoadCount } from '../messages.ts';
import { startBalancer, type TidMode } from '../paths/balancer.ts';
import { openDescriptorsOf, residentOf } from '../run/accounting.ts';
import type { Stage } from '../run/stage.ts';

/** Of the balancer's process. */
export interface Footprint {
  /** Bytes. */
  readonly resident: number;
  readonly descriptors: number;
}

export interface IdleRound {
  readonly before: Footprint;
  readonly held: Footprint;
}

export interface IdleMemory {
  readonly mode: TidMode;
  readonly sessions: number;
  readonly rounds: readonly IdleRound[];
}

/** A fresh balancer for each round: memory that was once taken is not given back at once. */
export async function measureIdleMemory(
  stage: Stage,
  mode: TidMode,
  sessions: number,
  rounds: number,
): Promise<IdleMemory> {
  const measured: IdleRound[] = [];
  for (let round = 0; round < rounds; round++) measured.push(await runOnce(stage, mode, sessions));
  return { mode, sessions, rounds: measured };
}

async function runOnce(stage: Stage, mode: TidMode, sessions: number): Promise<IdleRound> {
  const { port, relay } = await startBalancer(mode, stage);
  try {
    const before = footprintOf(relay.pid);
    await stage.generator.ask({ kind: 'start', port, load: { kind: 'idle', sessions } });
    await relay.until(`${sessions} sessions wait`, async () => {
      const { units } = await stage.generator.ask<LoadCount>({ kind: 'count' });
      return units >= sessions ? true : undefined;
    });
    return { before, held: footprintOf(relay.pid) };
  } finally {
    // It would wait for its sessions.
    await relay.stop('SIGKILL');
    await stage.generator.ask({ kind: 'stop' });
  }
}

function footprintOf(pid: number): Footprint {
  return { resident: residentOf(pid), descriptors: openDescriptorsOf(pid) };
}
