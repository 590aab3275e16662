/**
 * A network with a balancer in the middle, over cables with the MTU of Ethernet. Its addresses are those that are
 * reserved for examples (RFC 5737, RFC 3849).
 *
 *   client                      balancer                                                    servers
 *   192.0.2.77      ◀── vips ── 192.0.2.1, .2, .3         198.51.100.1 ── servers ──▶  198.51.100.11, 198.51.100.12
 *   2001:db8::77                2001:db8::1, ::2          2001:db8:1::1                2001:db8:1::11
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Endpoint } from '../../src/net/net.ts';
import { startBalancer, type Balancer, type BalancerOptions } from './balancer.ts';
import { temporaryFolder } from './folders.ts';
import { addressing, Host, said } from './hosts.ts';
import { Program } from './processes.ts';
import { isLinuxSkipped } from './tid-nets.ts';

const serverProgram = fileURLToPath(new URL('./site-servers.ts', import.meta.url));

export const clientAddress = '192.0.2.77';
export const clientAddress6 = '2001:db8::77';
/** All that the balancer's host has towards clients. */
export const vips: readonly string[] = ['192.0.2.1', '192.0.2.2', '192.0.2.3', '2001:db8::1', '2001:db8::2'];
/** The two servers, which serve one folder together. */
export const backends: readonly Endpoint[] = ['198.51.100.11', '198.51.100.12'].map((address) => ({
  address,
  port: 69,
}));

/** One more address of theirs. */
const backendAddress6 = '2001:db8:1::11';

/** A way to serve TFTP. */
interface Variant {
  readonly name: string;
  /** Its own, so that all of them can run at once. */
  readonly port: number;
  readonly flags: readonly string[];
  /** Hears of hosts that cannot be reached, which Linux tells of to sockets with IP_RECVERR alone. */
  readonly hearsRouters: boolean;
}

export const variants: readonly Variant[] = (isLinuxSkipped ? ['portable'] : ['linux', 'portable'])
  .flatMap((engine) => ['--no-single-port', '--single-port'].map((mode) => ({ engine, mode })))
  .map(({ engine, mode }, at) => {
    const flags = [`--engine=${engine}`, mode];
    return { name: flags.join(' '), port: 69 + at, flags, hearsRouters: engine === 'linux' };
  });

export class Network {
  readonly client: Host;
  readonly balancer: Host;
  readonly servers: Host;
  /** What the servers run in. */
  readonly serving: Program;

  private constructor(client: Host, balancer: Host, servers: Host, folder: string) {
    [this.client, this.balancer, this.servers] = [client, balancer, servers];
    const places = [...backends.map(({ address }) => address), `[${backendAddress6}]`];
    const node = { program: process.execPath, env: {} };
    this.serving = new Program(node, [serverProgram, folder, ...places.map((place) => `${place}:69`)], {
      host: servers,
    });
  }

  /** Resolves when the servers serve `files`. The network ends with all other programs of the tests. */
  static async open(files: Readonly<Record<string, Uint8Array>>): Promise<Network> {
    const folder = temporaryFolder('files');
    for (const [name, content] of Object.entries(files)) {
      mkdirSync(path.join(folder, path.dirname(name)), { recursive: true });
      writeFileSync(path.join(folder, name), content);
    }
    const balancer = await Host.first();
    const [client, servers] = await Promise.all([balancer.another(), balancer.another()]);
    await balancer.sh(
      `ip link add vips type veth peer name balancer netns ${client.pid} &&` +
        `ip link add servers type veth peer name balancer netns ${servers.pid}`,
    );
    const [ipv4, ipv6] = [vips.filter((vip) => !vip.includes(':')), vips.filter((vip) => vip.includes(':'))];
    await balancer.sh(addressing('vips', ipv4, ipv6));
    await balancer.sh(addressing('servers', ['198.51.100.1'], ['2001:db8:1::1']));
    await client.sh(addressing('balancer', [clientAddress], [clientAddress6]));
    await servers.sh(
      addressing(
        'balancer',
        backends.map(({ address }) => address),
        [backendAddress6],
      ),
    );
    const network = new Network(client, balancer, servers, folder);
    await said(network.serving, 'serve');
    return network;
  }

  /** A balancer on its host, in front of both servers unless others are named. */
  async balance({
    behind = backends,
    ...options
  }: BalancerOptions & { readonly behind?: readonly Endpoint[] }): Promise<Balancer> {
    return startBalancer(behind, { vips: ['192.0.2.1'], ...options, host: this.balancer });
  }
}
