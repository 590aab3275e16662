/** Where the servers are, for whom. */
import type { Endpoint } from '../../src/net/net.ts';
import type { StagedServer } from '../run/stage.ts';

/** For a relay: one address of each server. */
export function backendsOf(servers: readonly StagedServer[]): Endpoint[] {
  return servers.flatMap((server) => ordinaryOf(server, server.behindRelay.slice(0, 1)));
}

/** For a relay: all addresses of the servers, as if each were a machine. */
export function manyBackendsOf(servers: readonly StagedServer[]): Endpoint[] {
  return servers.flatMap((server) => ordinaryOf(server, server.behindRelay));
}

/** For a relay that cannot follow TIDs: one address of each server. */
export function singlePortBackends(servers: readonly StagedServer[]): Endpoint[] {
  return servers.flatMap(({ places, behindRelay }) =>
    places.map(({ singlePort }) => singlePort).filter(({ address }) => address === behindRelay[0]),
  );
}

/** For the generator itself. */
export function directTargets(servers: readonly StagedServer[]): Endpoint[] {
  return servers.flatMap((server) => ordinaryOf(server, [server.direct]));
}

function ordinaryOf({ places }: StagedServer, addresses: readonly string[]): Endpoint[] {
  return places.map(({ ordinary }) => ordinary).filter(({ address }) => addresses.includes(address));
}
