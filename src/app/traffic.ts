/** What the data plane needs to know of a service's traffic rules: what was configured, and the memory for it. */
import { hashOf } from '../balance/hash.ts';
import type { RouteConfig, ServiceConfig } from '../config/config.ts';
import type { Affinity, RequestRates, Route, Service } from '../engine/snapshot.ts';
import type { SharedTables } from './shared-tables.ts';

/**
 * Rows of the scoreboard that routes take their turns from, behind those of the services. Routes beyond that share rows,
 * which costs them nothing but the evenness of their round robin.
 */
export const routeRows = 64;
/** Routes of one service that have rows of their own. */
const routesWithRows = 8;

/** The routes of services that have none are left out. */
export type ServiceTraffic = Pick<Service, 'access' | 'rates' | 'affinity'> & {
  readonly routes?: readonly Route[] | undefined;
};

/** `index` is the service's row of the scoreboard, `rows` how many rows there are. */
export function trafficOf(
  config: ServiceConfig,
  tables: SharedTables,
  { index, rows }: { readonly index: number; readonly rows: number },
): ServiceTraffic {
  const { name, access, rates } = config;
  // There it is the user who stays, not the client.
  const affinity = config.policy === 'user-hash' ? undefined : config.affinity;
  return {
    access,
    rates: rates && ratesOf(name, rates, tables),
    affinity: affinity && affinityOf(config, affinity, tables),
    routes: config.kind === 'tftp' ? routesOf(config.routes ?? [], index, rows) : undefined,
  };
}

function routesOf(routes: readonly RouteConfig[], index: number, rows: number): Route[] {
  return routes.map(({ op, files, backends, rewrite }, at) => {
    const row = rows - 1 - ((index * routesWithRows + at) % routeRows);
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

/** Services whose backends have the same names, or are found in the same place, share where their clients are, unless groups say otherwise. */
function affinityOf(
  { backends, discovery }: ServiceConfig,
  { duration, group }: NonNullable<ServiceConfig['affinity']>,
  tables: SharedTables,
): Affinity {
  const names = backends.map(({ name }) => name).toSorted();
  const places = [names, discovery.dns?.name, discovery.file?.path];
  const key = hashOf(group === undefined ? JSON.stringify(places) : `group ${group}`);
  return { duration, key, table: tables.affinity };
}
