import type { Clock } from '../net/net.ts';
import type { Logger } from '../observe/log.ts';
import type { TakeoverMetrics } from '../observe/takeover-metrics.ts';
import type { DataPlaneHandover } from '../runtime/data-plane.ts';
import { TakeoverError } from '../runtime/takeover-error.ts';
import type { TakeoverTaker } from '../runtime/takeover-taker.ts';
import type { Services } from './services.ts';

export interface TakingOverParts {
  readonly taker: TakeoverTaker;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: TakeoverMetrics;
  readonly services: Services;
  readonly handover: DataPlaneHandover | undefined;
  /** What the configuration says. */
  readonly workers: number | 'auto';
}

/**
 * The data plane has started and is held: takes the sessions over and serves. Rejects with what keeps it from that; the
 * other process goes on then.
 */
export async function takeOver(parts: TakingOverParts): Promise<void> {
  const { taker, clock, log, metrics, services, handover } = parts;
  if (!handover) throw new TakeoverError('the portable engine cannot take sockets over');
  const begun = clock.now();
  let sessions = 0;
  for (const { worker, services: saved, sockets } of await taker.sessions()) {
    for (const { name } of saved) requireService(name, services);
    const known = saved.map((service) => ({
      ...service,
      backends: services.recall(service.name, service.backends),
    }));
    await handover.restore(worker, known, sockets);
    sessions += saved.reduce((sum, service) => sum + service.sessions.length, 0);
  }
  services.restoreOrders(await taker.confirm());
  await handover.serve();
  const duration = clock.now() - begun;
  await taker.served();
  metrics.taken(sessions);
  const { pid: from, version } = taker;
  log.info({ event: 'takeover.taken', from, version, sessions, duration }, 'taken over from another process');
  const { workers: configured } = parts;
  const { count: workers } = handover;
  if (configured === 'auto' || configured === workers) return;
  log.warn({ workers, configured }, 'the number of workers stays that of the other process, until a restart');
}

/** A session needs the rules of its service. */
function requireService(name: string, { controls }: Services): void {
  if (controls.some(({ config }) => config.kind === 'tftp' && config.name === name)) return;
  throw new TakeoverError(
    `the running process has a TFTP service ${name}, and this configuration does not: reload the one or correct the other`,
  );
}
