/**
 * A network of its own, in addresses for benchmarks (RFC 2544, appendix C.2.2). The kernel's balancers have namespaces
 * apart from the others, as connection tracking would slow those down.
 *
 *              +------ direct -------+
 *              |                     |
 *           client --- relay --- server 0, server 1
 *              |                     |
 *              +------- nat ---------+
 *              |                     |
 *              +---- steeredNat -----+
 */
import { randomBytes } from 'node:crypto';

import { coreMask } from '../run/cores.ts';
import { natRules } from './nat-rules.ts';
import { link, Namespace, removeAll } from './namespace.ts';
import {
  type AddressRange,
  addressesPerServer,
  type MiddleSite,
  type NatSite,
  type Network,
  serverCount,
  type ServerSite,
} from './network.ts';

const tftpPort = 69;

/** Ways from the client, each with networks of its own. */
const ways = { direct: 1, relay: 2, nat: 3, steeredNat: 4 } as const;
type Way = keyof typeof ways;
type Middle = Exclude<Way, 'direct'>;
type NatWay = Exclude<Middle, 'relay'>;

/** Networks of 24 bits, without the last number. */
const clientLink = (middle: Middle): string => `198.18.${ways[middle]}`;
const serverLink = (way: Way, server: number): string => `198.19.${ways[way]}${server}`;

/** More addresses of the client, in networks of 20 bits, which others reach over their link to it. */
const sourceNetwork = (way: Way): string => `198.18.${128 + 16 * ways[way]}`;
const sourcesOf = (way: Way): AddressRange => ({ first: `${sourceNetwork(way)}.1`, count: 128 });

/**
 * The generator's ports return after some seconds. What connection tracking remembers of them must be gone by then: an
 * expectation that finds its connection there already is never met, and some thousands of those stop all transfers.
 */
const natSettings = [
  'net.ipv4.ip_forward=1',
  'net.netfilter.nf_conntrack_udp_timeout=1',
  'net.netfilter.nf_conntrack_udp_timeout_stream=1',
] as const;

/**
 * `relayCore` is the balancer's; undefined where it has none of its own, and the kernel none to be steered to. Throws
 * where this process may not make namespaces.
 */
export function namespaceNetwork(relayCore: number | undefined): Network {
  try {
    return build(`tlb-${process.pid}-${randomBytes(2).toString('hex')}`, relayCore);
  } catch (error) {
    removeAll();
    throw error;
  }
}

function build(prefix: string, relayCore: number | undefined): Network {
  const client = new Namespace(`${prefix}-client`);
  const open = (middle: Middle): Namespace => openMiddle(client, middle, prefix);
  const middles = { relay: open('relay'), nat: open('nat'), steeredNat: open('steeredNat') };
  const servers = Array.from({ length: serverCount }, (_, at) => {
    const server = new Namespace(`${prefix}-server${at}`);
    return connectServer(server, at, { direct: client, ...middles });
  });
  for (const way of Object.keys(ways) as Way[]) {
    client.ip('route', 'add', 'local', `${sourceNetwork(way)}.0/20`, 'dev', 'lo');
  }
  const nats: NatSite[] = [{ ...balance(middles.nat, 'nat'), place: 'sender' }];
  if (relayCore !== undefined) {
    steer(middles.steeredNat, relayCore);
    nats.push({ ...balance(middles.steeredNat, 'steeredNat'), place: 'relay' });
  }
  return {
    description:
      'Over network namespaces: one for the clients, one for the balancer, one for each of two servers',
    client: { namespace: client.name },
    directSources: sourcesOf('direct'),
    relay: siteOf(middles.relay, 'relay'),
    nats,
    servers,
    serverPort: tftpPort,
  };
}

function siteOf({ name }: Namespace, middle: Middle): MiddleSite {
  return { namespace: name, address: `${clientLink(middle)}.1`, sources: sourcesOf(middle) };
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

function connectServer(server: Namespace, at: number, others: Readonly<Record<Way, Namespace>>): ServerSite {
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
  const behindNats = [...connect('nat', 1), ...connect('steeredNat', 1)];
  // Nobody on these ways hides the client's addresses.
  const reach = (way: Way, network: string): void =>
    server.ip('route', 'add', network, 'via', `${serverLink(way, at)}.1`);
  for (const way of ['direct', 'nat', 'steeredNat'] as const) reach(way, `${sourceNetwork(way)}.0/20`);
  for (const way of ['nat', 'steeredNat'] as const) reach(way, `${clientLink(way)}.0/24`);
  return { namespace: server.name, direct, behindRelay, behindNats };
}

/** Makes the kernel the balancer of that namespace. */
function balance(namespace: Namespace, way: NatWay): MiddleSite {
  const site = siteOf(namespace, way);
  const servers = Array.from({ length: serverCount }, (_, at) => `${serverLink(way, at)}.2`);
  namespace.run('sysctl', ['-qw', ...natSettings]);
  namespace.run('nft', ['-f', '-'], natRules({ address: site.address, port: tftpPort }, servers));
  return site;
}

/** Lets that core take what arrives in the namespace (Documentation/networking/scaling.rst of Linux). */
function steer(namespace: Namespace, core: number): void {
  const write = `for queue in /sys/class/net/*/queues/rx-*/rps_cpus; do echo ${coreMask(core)} > $queue; done`;
  namespace.run('sh', ['-c', write]);
}
