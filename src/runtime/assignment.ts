import type { Service } from '../engine/snapshot.ts';
import type { WorkerPlan } from './worker-handle.ts';

/**
 * The workers that serve a service, by their indexes: TFTP is for those that are made for it, where there are any.
 *
 * Where several portable workers listen on one address, the system decides by a client's address and port who hears it,
 * and decides anew when one of them comes or goes. A session with a TID of its own does not mind. One in single-port
 * mode would reach somebody who does not know it, so a single worker serves all of them. The sockets of the others are
 * the supervisor's, and stay when a worker goes.
 */
export function workersOf(service: Service, plans: readonly WorkerPlan[]): number[] {
  const able = [...plans.keys()].filter((index) => plans[index]?.protocols.includes(service.kind));
  const isSinglePort = service.kind === 'tftp' && service.tids.kind === 'single-port';
  return isSinglePort && plans[able[0] ?? 0]?.kind === 'portable' ? able.slice(0, 1) : able;
}
