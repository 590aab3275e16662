/** FTP over loopback: the server itself, the balancer, and ProFTPD's mod_proxy where there is one. */
import { startFtpBalancer } from '../paths/ftp-balancer.ts';
import type { FtpPath, RelayedFtpPath } from '../paths/ftp-path.ts';
import { modProxyObstacle, startModProxy } from '../paths/mod-proxy.ts';
import { type FtpIdleMemory, measureFtpIdleMemory } from '../questions/ftp-idle-memory.ts';
import { type FtpTask, measureFtp, runFtp } from '../questions/ftp-throughput.ts';
import { type FtpResult, type FtpResults, renderFtp } from '../report/ftp-text.ts';
import { summarize } from '../report/summary.ts';
import { type FtpStage, openFtpStage } from '../run/ftp-stage.ts';
import type { Settings } from '../settings.ts';
import type { Suite } from './suite.ts';

/** How much is done in a round. */
interface Amounts {
  /** Bytes, all sessions together. */
  readonly bulk: number;
  readonly files: number;
  readonly logins: number;
  readonly idle: number;
}

const allAmounts: Amounts = { bulk: 2 ** 30, files: 2_000, logins: 500, idle: 500 };
const quickAmounts: Amounts = { bulk: 2 ** 27, files: 200, logins: 100, idle: 100 };

/** Bytes of a small file. */
const small = 4_096;
/** Sessions at a time where several share the work. */
const many = 8;

type Say = (line: string) => void;

export const ftp: Suite = {
  run: async (settings, say) => {
    const amounts = settings.quick ? quickAmounts : allAmounts;
    const tasks = tasksOf(amounts);
    const stage = await openFtpStage(
      [...new Set([amounts.bulk, amounts.bulk / many, small])],
      settings.isUrgent,
    );
    const obstacle = modProxyObstacle();
    if (obstacle !== undefined) say(obstacle);
    const starts = relaysOf(stage, settings, obstacle === undefined);
    const results: FtpResults = {
      placement: stage.placement,
      tasks: await measurePaths(stage, starts, tasks, settings, say),
      idleMemory: await measureMemory(stage, starts, amounts, settings, say),
    };
    return { text: renderFtp(results, settings), data: results };
  },
};

function tasksOf({ bulk, files, logins }: Amounts): FtpTask[] {
  const whole = { sessions: 1, files: 1, bytes: bulk };
  const shared = { sessions: many, files: 1, bytes: bulk / many };
  return [
    { name: 'download, 1 session', unit: 'GiB', load: { kind: 'download', ...whole } },
    { name: `download, ${many} sessions`, unit: 'GiB', load: { kind: 'download', ...shared } },
    { name: 'upload, 1 session', unit: 'GiB', load: { kind: 'upload', ...whole } },
    { name: `upload, ${many} sessions`, unit: 'GiB', load: { kind: 'upload', ...shared } },
    {
      name: 'small files, 1 session',
      unit: 'files',
      load: { kind: 'download', sessions: 1, files, bytes: small },
    },
    { name: `logins, ${many} at a time`, unit: 'logins', load: { kind: 'logins', sessions: many, logins } },
  ];
}

function relaysOf(
  stage: FtpStage,
  { profiles }: Settings,
  hasModProxy: boolean,
): (() => Promise<RelayedFtpPath>)[] {
  const nodeOptions = profiles === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profiles}`];
  const balancer = (): Promise<RelayedFtpPath> => startFtpBalancer(stage, nodeOptions);
  return hasModProxy ? [balancer, () => startModProxy(stage)] : [balancer];
}

async function measurePaths(
  stage: FtpStage,
  starts: readonly (() => Promise<RelayedFtpPath>)[],
  tasks: readonly FtpTask[],
  { rounds }: Settings,
  say: Say,
): Promise<FtpResult[]> {
  const paths: FtpPath[] = [{ name: 'direct', port: stage.serverPort, relay: undefined }];
  for (const start of starts) paths.push(await start());
  say('warming up');
  const results: FtpResult[] = [];
  for (const task of tasks) for (const path of paths) await runFtp(stage, path, task);
  for (const task of tasks) {
    say(task.name);
    for (const one of await measureFtp(stage, paths, task, rounds)) {
      results.push({ ...one, summary: summarize(one.rounds, stage.cores.length) });
    }
  }
  for (const { relay } of paths) await relay?.stop();
  return results;
}

async function measureMemory(
  stage: FtpStage,
  starts: readonly (() => Promise<RelayedFtpPath>)[],
  { idle }: Amounts,
  { rounds }: Settings,
  say: Say,
): Promise<FtpIdleMemory[]> {
  say(`${idle} idle sessions`);
  return measureFtpIdleMemory(stage, starts, idle, rounds);
}
