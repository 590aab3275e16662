import { loopback } from '../messages.ts';
import type { FtpStage } from '../run/ftp-stage.ts';
import { launchBalancer } from './balancer.ts';
import type { RelayedFtpPath } from './ftp-path.ts';

/** Starts the balancer in front of the FTP server. `nodeOptions` go to Node. */
export async function startFtpBalancer(
  stage: FtpStage,
  nodeOptions: readonly string[] = [],
): Promise<RelayedFtpPath> {
  const own = ['--no-tftp', '--ftp-port=0', `--ftp-backend=${loopback}:${stage.serverPort}`];
  return { name: 'tftp-lb', ...(await launchBalancer('tftp-lb-ftp', own, stage, nodeOptions)) };
}
