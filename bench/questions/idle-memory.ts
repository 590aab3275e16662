/** What sessions cost in memory that have got their first block and wait. */
import type { LoadCount, LoadOrder } from '../messages.ts';
import { manyBackendsOf } from '../paths/backends.ts';
import { type Engine, startBalancer, type TidMode } from '../paths/balancer.ts';
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

/** Which balancer holds how many sessions. */
export interface IdleCase {
  readonly engine: Engine;
  readonly mode: TidMode;
  readonly sessions: number;
}

export interface IdleMemory extends IdleCase {
  readonly rounds: readonly IdleRound[];
}

/** A fresh balancer for each round: memory that was once taken is not given back at once. */
export async function measureIdleMemory(stage: Stage, idle: IdleCase, rounds: number): Promise<IdleMemory> {
  const measured: IdleRound[] = [];
  for (let round = 0; round < rounds; round++) measured.push(await runOnce(stage, idle));
  return { ...idle, rounds: measured };
}

async function runOnce(stage: Stage, { engine, mode, sessions }: IdleCase): Promise<IdleRound> {
  const backends = manyBackendsOf(stage.servers);
  const flags = [`--max-sessions=${sessions}`];
  const { target, relay } = await startBalancer(stage, { engine, mode, backends, flags });
  try {
    const before = footprintOf(relay.pid);
    const order: LoadOrder = {
      kind: 'start',
      ends: { targets: [target], sources: stage.network.relay.sources },
      load: { kind: 'idle', sessions },
    };
    await stage.generator.ask(order);
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
