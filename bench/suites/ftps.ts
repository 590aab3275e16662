/** FTP under TLS over loopback: the server itself, the balancer, and ProFTPD's mod_proxy where there is one. */
import { startFtpBalancer } from '../paths/ftp-balancer.ts';
import { modProxyObstacle, startModProxy } from '../paths/mod-proxy.ts';
import { type FtpResults, renderFtp } from '../report/ftp-text.ts';
import { type FtpStage, openFtpStage } from '../run/ftp-stage.ts';
import type { Settings } from '../settings.ts';
import { bulkSizes, bulkTasks, loginTask, measurePaths, type StartFtpPath } from './ftp-paths.ts';
import type { Suite } from './suite.ts';

const allAmounts = { bulk: 2 ** 30, logins: 200 };
const quickAmounts = { bulk: 2 ** 27, logins: 50 };

export const ftps: Suite = {
  run: async (settings, say) => {
    const { bulk, logins } = settings.quick ? quickAmounts : allAmounts;
    const stage = await openFtpStage(bulkSizes(bulk), settings.isUrgent, true);
    const obstacle = modProxyObstacle();
    if (obstacle !== undefined) say(obstacle);
    const starts = relaysOf(stage, settings, obstacle === undefined);
    const tasks = [...bulkTasks(bulk), loginTask(logins)];
    const results: FtpResults = {
      placement: stage.placement,
      tasks: await measurePaths(stage, starts, tasks, settings, say),
      idleMemory: [],
    };
    return { text: renderFtp(results, settings), data: results };
  },
};

function relaysOf(stage: FtpStage, { profiles }: Settings, hasModProxy: boolean): StartFtpPath[] {
  const nodeOptions = profiles === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profiles}`];
  const own: StartFtpPath[] = [
    () => startFtpBalancer(stage, { legs: 'client', nodeOptions }),
    () => startFtpBalancer(stage, { legs: 'client', workers: 2, nodeOptions }),
    () => startFtpBalancer(stage, { legs: 'both', nodeOptions }),
  ];
  const others: StartFtpPath[] = [() => startModProxy(stage, 'client'), () => startModProxy(stage, 'both')];
  return hasModProxy ? [...own, ...others] : own;
}
