import { loopback } from '../messages.ts';
import type { Placement } from '../run/cores.ts';
import type { FtpStage } from '../run/ftp-stage.ts';
import { launchBalancer } from './balancer.ts';
import type { RelayedFtpPath, TlsLegs } from './ftp-path.ts';

export interface FtpBalancerOptions {
  /** None if left out. */
  readonly legs?: TlsLegs;
  /** Threads that serve; 1 if left out. */
  readonly workers?: 1 | 2;
  /** What Node is told. */
  readonly nodeOptions?: readonly string[];
}

/** Starts the balancer in front of the FTP server. */
export async function startFtpBalancer(
  stage: FtpStage,
  { legs = 'none', workers = 1, nodeOptions = [] }: FtpBalancerOptions = {},
): Promise<RelayedFtpPath> {
  const own = [
    '--no-tftp',
    '--ftp-port=0',
    `--ftp-backend=${loopback}:${stage.serverPort}`,
    `--workers=${workers}`,
    ...(legs === 'none' ? [] : ['--ftp-tls=required', `--tls-cert=${stage.certificate}`]),
    // Nothing checks certificates here: neither does the generator.
    ...(legs === 'both' ? ['--backend-tls=required', '--backend-tls-insecure'] : []),
  ];
  const ground = workers === 1 ? stage : { ...stage, placement: spread(stage.placement) };
  const placing = { address: loopback, namespace: undefined, workers };
  const launched = await launchBalancer(`tftp-lb-ftp-${legs}-${workers}`, own, ground, nodeOptions, placing);
  return { name: nameOf(legs, workers), isSecure: legs !== 'none', ...launched };
}

/** A core for each of two workers: the second one is the generator's where there are too few to have it alone. */
function spread(placement: Placement): Placement {
  const { relay, relays = [], generator } = placement;
  if (relay === undefined || generator === undefined || relays.length > 1) return placement;
  return { ...placement, relays: [relay, generator] };
}

function nameOf(legs: TlsLegs, workers: 1 | 2): RelayedFtpPath['name'] {
  if (workers === 2) return 'tftp-lb, 2 workers';
  return legs === 'both' ? 'tftp-lb, both legs' : 'tftp-lb';
}
