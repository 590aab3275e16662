/** How fast files come and go and sessions log in, along each path, and what each process used for that. */
import type { FtpAnswer, FtpLoad, FtpOrder } from '../ftp-messages.ts';
import type { FtpPath, FtpPathName } from '../paths/ftp-path.ts';
import { busySecondsOf, cpuTimeOf } from '../run/accounting.ts';
import type { Child } from '../run/child.ts';
import type { FtpStage } from '../run/ftp-stage.ts';
import { treeCpuTimeOf } from '../run/process-tree.ts';
import { noTime, type Round, roundOf, type Usage } from './round.ts';

/** What is counted: GiB of what is moved in bulk, else files or logins. */
export const ftpUnits = ['GiB', 'files', 'logins'] as const;
export type FtpUnit = (typeof ftpUnits)[number];

export interface FtpTask {
  readonly name: string;
  readonly load: Exclude<FtpLoad, { kind: 'idle' }>;
  readonly unit: FtpUnit;
}

export interface FtpMeasured {
  readonly task: FtpTask;
  readonly path: FtpPathName;
  readonly rounds: readonly Round[];
}

const gibibyte = 2 ** 30;
/** Milliseconds for an order to be carried out, on the slowest of machines. */
const patience = 300_000;

/** The paths take turns within each round, so that a change of the machine's mood meets all of them. */
export async function measureFtp(
  stage: FtpStage,
  paths: readonly FtpPath[],
  task: FtpTask,
  rounds: number,
): Promise<FtpMeasured[]> {
  const measured = paths.map(({ name }) => ({ task, path: name, rounds: [] as Round[] }));
  for (let round = 0; round < rounds; round++) {
    for (const [at, path] of paths.entries()) measured[at]?.rounds.push(await runFtp(stage, path, task));
  }
  return measured;
}

/** One round on one path. */
export async function runFtp(stage: FtpStage, path: FtpPath, task: FtpTask): Promise<Round> {
  const { generator } = stage;
  await obey(generator, { kind: 'open', port: path.port, isSecure: path.isSecure, load: task.load });
  const before = usageOf(stage, path);
  const { seconds, repeats, errors } = await obey(generator, { kind: 'run' });
  const after = usageOf(stage, path);
  await obey(generator, { kind: 'close' });
  return roundOf(before, after, { seconds, units: unitsOf(task) - errors, repeats, errors });
}

/** Rejects where it failed. */
export async function obey(generator: Child, order: FtpOrder): Promise<Extract<FtpAnswer, { kind: 'done' }>> {
  const answer = await generator.ask<FtpAnswer>(order, patience);
  if (answer.kind === 'failed') throw new Error(`the load failed: ${answer.reason}`);
  return answer;
}

function usageOf({ generator, server, cores }: FtpStage, { relay }: FtpPath): Usage {
  return {
    cpu: {
      relay: relay ? treeCpuTimeOf(relay.pid) : noTime,
      generator: cpuTimeOf(generator.pid),
      server: treeCpuTimeOf(server.pid),
    },
    busy: busySecondsOf(cores),
  };
}

export function unitsOf({ load, unit }: FtpTask): number {
  if (load.kind === 'logins') return load.logins;
  const files = load.sessions * load.files;
  return unit === 'GiB' ? (files * load.bytes) / gibibyte : files;
}
