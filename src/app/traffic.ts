/** What the data plane needs to know of a service's traffic rules: what was configured, and the memory for it. */
import { hashOf } from '../balance/hash.ts';
import type { ServiceConfig } from '../config/config.ts';
import type { Affinity, RequestRates, Route, Service } from '../engine/snapshot.ts';
import type { SharedTables } from './shared-tables.ts';

/**
 * Rows of the scoreboard that routes take their turns from, behind those of the services. Routes beyond that share rows,
 * which costs them nothing but the evenness of their round robin.
 */
export const routeRows = 64;
/** Routes of one service that have rows of their own. */
const routesWithRows = 8;

/** What services of both protocols have. */
export function trafficOf(
  { name, access, rates, affinity, backends }: ServiceConfig,
  tables: SharedTables,
): Pick<Service, 'access' | 'rates' | 'affinity'> {
  const names = backends.map((backend) => backend.name).toSorted();
  return {
    access,
    rates: rates && ratesOf(name, rates, tables),
    affinity: affinity && affinityOf(affinity, names, tables),
  };
}

/** `services` is how many rows of the scoreboard there are, `index` the service's own. */
export function routesOf(config: ServiceConfig, index: number, services: number): Route[] {
  if (config.kind !== 'tftp') return [];
  return (config.routes ?? []).map(({ op, files, backends, rewrite }, at) => {
    const row = services - 1 - ((index * routesWithRows + at) % routeRows);
    return { op, files, backends, rewrite, row };
  });
}

function ratesOf(
  name: string,
  { perClient, perPrefix }: NonNullable<ServiceConfig['rates']>,
  tables: SharedTables,
): RequestRates {
  return {
    perClient: perClient && { ...perClient, table: tables.rate(name, 'client') },
    perPrefix: perPrefix && { ...perPrefix, table: tables.rate(name, 'prefix') },
  };
}

/** Services that share their backends share where their clients are, unless groups say otherwise. */
function affinityOf(
  { duration, group }: NonNullable<ServiceConfig['affinity']>,
  names: readonly string[],
  tables: SharedTables,
): Affinity {
  const key = hashOf(group === undefined ? JSON.stringify(names) : `group ${group}`);
  return { duration, key, table: tables.affinity };
}
