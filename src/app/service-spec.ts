import type { Pool } from '../balance/pool.ts';
import type { ServiceConfig } from '../config/config.ts';
import type { Service } from '../engine/snapshot.ts';
import type { ServiceTraffic } from './traffic.ts';

/** What a service has beside its configuration. */
export interface ServiceState {
  /** Its row in the scoreboard. */
  readonly index: number;
  readonly pool: Pool;
  /** Without ports where the service is none of FTP. */
  readonly passivePool: SharedArrayBuffer;
  /** Text of its user map; undefined where it has none. */
  readonly userMap: string | undefined;
  readonly traffic: ServiceTraffic;
}

/** What the data plane needs to know of a service. */
export function specOf(config: ServiceConfig, state: ServiceState): Service {
  const { name, listeners, policy, limits } = config;
  const { index, pool, passivePool, userMap, traffic } = state;
  const { access, rates, affinity, routes } = traffic;
  const common = { index, name, listeners, pool, policy, limits, access, rates, affinity };
  if (config.kind === 'tftp') {
    const { kind, tids, requests, timing } = config;
    return { kind, ...common, tids, requests, routes, timing };
  }
  const { kind, commands, data, timing } = config;
  return { kind, ...common, commands, data, timing, passivePool, ...(userMap !== undefined && { userMap }) };
}
