import { ipv4Records } from '../../../src/discovery/dns-records.ts';
import { DnsResolver, type Resolution } from '../../../src/discovery/dns-resolver.ts';
import type { MemoryHost } from '../../../src/net/memory-host.ts';
import { MemoryNet, type MemoryNetOptions } from '../../../src/net/memory-net.ts';
import { a, DnsServer, reply, type Respond } from '../../helpers/dns-server.ts';

export const name = 'boot.test';
export const known: Respond = (query) => [reply(query, { answers: [a(name, '192.0.2.1')] })];
export const silent: Respond = () => [];

/** Says nothing but a response code. */
export function says(rcode: number): Respond {
  return (query) => [reply(query, { rcode })];
}

export interface DnsScene {
  readonly memory: MemoryNet;
  readonly client: MemoryHost;
  readonly hosts: readonly MemoryHost[];
  readonly servers: readonly DnsServer[];
  readonly resolver: DnsResolver;
  /** Looks the IPv4 addresses of `name` up, in virtual time. */
  readonly resolve: (asked?: string) => Promise<Resolution<string>>;
  /** Timers, and sockets of the client. */
  readonly leftOpen: () => number;
}

/** A resolver with servers at 10.0.0.1, 10.0.0.2 and so on, which respond so. */
export function dnsScene(responses: readonly Respond[], options: Partial<MemoryNetOptions> = {}): DnsScene {
  const memory = new MemoryNet({ seed: 1, ...options });
  const client = memory.host(['10.0.0.100']);
  const places = responses.map((_, at) => ({ address: `10.0.0.${at + 1}`, port: 53 }));
  const hosts = places.map(({ address }) => memory.host([address]));
  const servers = hosts.map((host, at) => {
    const address = `10.0.0.${at + 1}`;
    return new DnsServer(host, { address, port: 53 }, responses[at] ?? silent);
  });
  const resolver = new DnsResolver(client, places);
  const never = new AbortController().signal;
  return {
    memory,
    client,
    hosts,
    servers,
    resolver,
    resolve: (asked = name) => memory.play(resolver.resolve(asked, ipv4Records, never)),
    leftOpen: () => memory.pendingTimers + client.openSockets,
  };
}
