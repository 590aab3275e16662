import { loopback } from '../messages.ts';
import { type AddressRange, addressesPerServer, type Network, serverCount } from './network.ts';

const sources: AddressRange = { first: '127.64.0.1', count: 128 };

/** All on one host, over loopback, of which every address of 127.0.0.0/8 is one. */
export function loopbackNetwork(reason: string): Network {
  return {
    description: `Over loopback (${reason})`,
    client: { namespace: undefined },
    directSources: sources,
    relay: { namespace: undefined, address: loopback, sources },
    nats: [],
    servers: Array.from({ length: serverCount }, (_, server) => ({
      namespace: undefined,
      direct: `127.0.${server + 1}.1`,
      behindRelay: Array.from({ length: addressesPerServer }, (_, at) => `127.0.${server + 1}.${at + 2}`),
      behindNats: [],
    })),
    serverPort: 0,
  };
}
