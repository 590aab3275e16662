import type { Service } from '../engine/snapshot.ts';
import type { WorkerPlan } from './worker-handle.ts';

/**
 * The workers that serve a service, by their indexes.
 *
 * Where several listen on one address, the system decides by a client's address and port who hears it, and decides anew
 * when one of them comes or goes. A session with a TID of its own does not mind. One in single-port mode would reach
 * somebody who does not know it, so a single worker serves all of them.
 */
export function workersOf(service: Service, plans: readonly WorkerPlan[]): number[] {
  const able = [...plans.keys()].filter((index) => plans[index]?.protocols.includes(service.kind));
  const isSinglePort = service.kind === 'tftp' && service.tids.kind === 'single-port';
  return isSinglePort ? able.slice(0, 1) : able;
}
