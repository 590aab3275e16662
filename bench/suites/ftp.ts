/** FTP over loopback: the server itself, the balancer, and ProFTPD's mod_proxy where there is one. */
import { startFtpBalancer } from '../paths/ftp-balancer.ts';
import { modProxyObstacle, startModProxy } from '../paths/mod-proxy.ts';
import { type FtpIdleMemory, measureFtpIdleMemory } from '../questions/ftp-idle-memory.ts';
import type { FtpTask } from '../questions/ftp-throughput.ts';
import { type FtpResults, renderFtp } from '../report/ftp-text.ts';
import { type FtpStage, openFtpStage } from '../run/ftp-stage.ts';
import type { Settings } from '../settings.ts';
import { bulkSizes, bulkTasks, loginTask, measurePaths, type Say, type StartFtpPath } from './ftp-paths.ts';
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

export const ftp: Suite = {
  run: async (settings, say) => {
    const amounts = settings.quick ? quickAmounts : allAmounts;
    const tasks = tasksOf(amounts);
    const stage = await openFtpStage([...bulkSizes(amounts.bulk), small], settings.isUrgent);
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
  return [
    ...bulkTasks(bulk),
    {
      name: 'small files, 1 session',
      unit: 'files',
      load: { kind: 'download', sessions: 1, files, bytes: small },
    },
    loginTask(logins),
  ];
}

function relaysOf(stage: FtpStage, { profiles }: Settings, hasModProxy: boolean): StartFtpPath[] {
  const nodeOptions = profiles === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profiles}`];
  const balancer: StartFtpPath = () => startFtpBalancer(stage, { nodeOptions });
  return hasModProxy ? [balancer, () => startModProxy(stage)] : [balancer];
}

async function measureMemory(
  stage: FtpStage,
  starts: readonly StartFtpPath[],
  { idle }: Amounts,
  { rounds }: Settings,
  say: Say,
): Promise<FtpIdleMemory[]> {
  say(`${idle} idle sessions`);
  return measureFtpIdleMemory(stage, starts, idle, rounds);
}
