/**
 * A network of its own, in addresses for benchmarks (RFC 2544, appendix C.2.2). The kernel's balancer has a namespace
 * apart from the others, as connection tracking would slow those down.
 *
 *              +-- direct -----------+
 *              |                     |
 *            client --- relay --- server 0, server 1
 *              |                     |
 *              +------- nat ---------+
 */
import { randomBytes } from 'node:crypto';

import { natRules } from './nat-rules.ts';
import { link, Namespace, removeAll } from './namespace.ts';
import { type AddressRange, addressesPerServer, type Network, serverCount, type ServerSite } from './network.ts';

const tftpPort = 69;

/** Ways from the client, each with networks of its own. */
const ways = { direct: 1, relay: 2, nat: 3 } as const;
type Way = keyof typeof ways;
type Middle = Exclude<Way, 'direct'>;

/** Networks of 24 bits, without the last number. */
const clientLink = (middle: Middle): string => `198.18.${ways[middle]}`;
const serverLink = (way: Way, server: number): string => `198.19.${ways[way]}${server}`;

/** More addresses of the client, in networks of 20 bits, which others reach over their link to it. */
const sourceNetwork = (way: Way): string => `198.18.${128 + 16 * ways[way]}`;
const sourcesOf = (way: Way): AddressRange => ({ first: `${sourceNetwork(way)}.1`, count: 64 });

/**
 * The generator's ports return after some seconds. What connection tracking remembers of them must be gone by then: an
 * expectation that finds its connection there already is never met, and some thousands of those stop all transfers.
 */
const natSettings = [
  'net.ipv4.ip_forward=1',
  'net.netfilter.nf_conntrack_udp_timeout=1',
  'net.netfilter.nf_conntrack_udp_timeout_stream=1',
] as const;

/** Throws where this process may not make it. */
export function namespaceNetwork(): Network {
  try {
    return build(`tlb-${randomBytes(3).toString('hex')}`);
  } catch (error) {
    removeAll();
    throw error;
  }
}

function build(prefix: string): Network {
  const client = new Namespace(`${prefix}-client`);
  const relay = openMiddle(client, 'relay', prefix);
  const nat = openMiddle(client, 'nat', prefix);
  const servers = Array.from({ length: serverCount }, (_, at) => {
    const server = new Namespace(`${prefix}-server${at}`);
    return connectServer(server, at, { direct: client, relay, nat });
  });
  for (const way of ['direct', 'relay', 'nat'] as const) {
    client.ip('route', 'add', 'local', `${sourceNetwork(way)}.0/20`, 'dev', 'lo');
  }
  const address = `${clientLink('nat')}.1`;
  nat.run('sysctl', ['-qw', ...natSettings]);
  nat.run('nft', ['-f', '-'], natRules({ address, port: tftpPort }, servers.map(({ behindNat }) => behindNat)));
  return {
    description: 'Over network namespaces, one for the clients, one for the balancer, one for each of two servers',
    client: { namespace: client.name },
    directSources: sourcesOf('direct'),
    relay: { namespace: relay.name, address: `${clientLink('relay')}.1`, sources: sourcesOf('relay') },
    nat: { namespace: nat.name, address, sources: sourcesOf('nat') },
    servers,
    serverPort: tftpPort,
  };
}

function openMiddle(client: Namespace, middle: Middle, prefix: string): Namespace {
  const namespace = new Namespace(`${prefix}-${middle}`);
  const network = clientLink(middle);
  link(
    { namespace: client, name: middle, addresses: [`${network}.2`] },
    { namespace, name: 'client', addresses: [`${network}.1`] },
  );
  namespace.ip('route', 'add', `${sourceNetwork(middle)}.0/20`, 'via', `${network}.2`);
  return namespace;
}

function connectServer(
  server: Namespace,
  at: number,
  others: Readonly<Record<Way, Namespace>>,
): ServerSite & { readonly behindNat: string } {
  const connect = (way: Way, count: number): string[] => {
    const network = serverLink(way, at);
    const addresses = Array.from({ length: count }, (_, host) => `${network}.${host + 2}`);
    link(
      { namespace: others[way], name: `server${at}`, addresses: [`${network}.1`] },
      { namespace: server, name: way, addresses },
    );
    return addresses;
  };
  const [direct = ''] = connect('direct', 1);
  const behindRelay = connect('relay', addressesPerServer);
  const [behindNat = ''] = connect('nat', 1);
  // Nobody on these ways hides the client's addresses.
  const reach = (way: Way, network: string): void =>
    server.ip('route', 'add', network, 'via', `${serverLink(way, at)}.1`);
  reach('direct', `${sourceNetwork('direct')}.0/20`);
  reach('nat', `${sourceNetwork('nat')}.0/20`);
  reach('nat', `${clientLink('nat')}.0/24`);
  return { namespace: server.name, direct, behindRelay, behindNat };
}
