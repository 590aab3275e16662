/** What sessions cost in memory that have logged in and wait. */
import type { FtpPathName, RelayedFtpPath } from '../paths/ftp-path.ts';
import type { FtpStage } from '../run/ftp-stage.ts';
import { type TreeMemory, treeMemoryOf } from '../run/process-tree.ts';
import { obey } from './ftp-throughput.ts';

interface FtpIdleRound {
  readonly before: TreeMemory;
  readonly held: TreeMemory;
}

export interface FtpIdleMemory {
  readonly path: FtpPathName;
  readonly sessions: number;
  readonly rounds: readonly FtpIdleRound[];
}

/** A fresh relay for each round, since memory that was once taken is not given back at once; they take turns. */
export async function measureFtpIdleMemory(
  stage: FtpStage,
  starts: readonly (() => Promise<RelayedFtpPath>)[],
  sessions: number,
  rounds: number,
): Promise<FtpIdleMemory[]> {
  const measured = new Map<FtpPathName, FtpIdleRound[]>();
  for (let round = 0; round < rounds; round++) {
    for (const start of starts) {
      const path = await start();
      const before = measured.get(path.name) ?? [];
      measured.set(path.name, [...before, await runOnce(stage, path, sessions)]);
    }
  }
  return [...measured].map(([path, rounds]) => ({ path, sessions, rounds }));
}

async function runOnce(
  { generator }: FtpStage,
  { port, isSecure, relay }: RelayedFtpPath,
  sessions: number,
): Promise<FtpIdleRound> {
  const before = treeMemoryOf(relay.pid);
  await obey(generator, { kind: 'open', port, isSecure, load: { kind: 'idle', sessions } });
  const held = treeMemoryOf(relay.pid);
  await obey(generator, { kind: 'close' });
  await relay.stop();
  return { before, held };
}
