/** A real DNS server, dnsmasq, with records that tests change. It knows the domain `test`, and nothing else. */
import { Resolver } from 'node:dns/promises';
import { writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import path from 'node:path';
import { formatEndpoint, type Endpoint } from '../../src/net/net.ts';
import { temporaryFolder } from './folders.ts';
import { peer, requirePeer, strict } from './peers.ts';
import { Program, until } from './processes.ts';
import { freePort, ownLoopback } from './sockets.ts';

/** For `describe.skipIf`. Unlike its TFTP, its DNS has any port, so that nobody has to be root. */
export const lacksDnsmasq: boolean = !strict && peer('dnsmasq') === undefined;

const marker = 'marker.test';

export class DnsDaemon implements Endpoint {
  readonly address: string;
  readonly port: number;
  readonly #hosts: string = path.join(temporaryFolder('dns'), 'hosts');
  #program: Program | undefined;
  /** What the marker is, so that it can be seen that a change has been taken up. */
  #generation = 0;

  private constructor({ address, port }: Endpoint) {
    this.address = address;
    this.port = port;
  }

  /**
   * A server that answers. `hosts` are lines of a hosts file; `args` are more of its options, such as --srv-host, which
   * it reads at its start alone.
   */
  static async start(hosts: readonly string[], args: readonly string[] = []): Promise<DnsDaemon> {
    const address = ownLoopback();
    const daemon = new DnsDaemon({ address, port: await freePort(address) });
    await daemon.restart(hosts, args);
    return daemon;
  }

  /** Ends it and starts it anew at the same place. */
  async restart(hosts: readonly string[], args: readonly string[] = []): Promise<void> {
    await this.stop();
    this.#write(hosts);
    this.#program = new Program(requirePeer('dnsmasq'), [
      '--no-daemon',
      '--conf-file=/dev/null',
      '--pid-file=',
      `--user=${userInfo().username}`,
      `--port=${this.port}`,
      `--listen-address=${this.address}`,
      '--bind-interfaces',
      '--no-resolv',
      '--no-hosts',
      '--local=/test/',
      `--addn-hosts=${this.#hosts}`,
      ...args,
    ]);
    await this.#isReady();
  }

  /** Has other hosts from now on. */
  async change(hosts: readonly string[]): Promise<void> {
    this.#write(hosts);
    this.#program?.signal('SIGHUP');
    await this.#isReady();
  }

  async stop(): Promise<void> {
    await this.#program?.stop();
  }

  #write(hosts: readonly string[]): void {
    this.#generation++;
    writeFileSync(this.#hosts, [...hosts, `${this.#expected} ${marker}`, ''].join('\n'), { mode: 0o644 });
  }

  get #expected(): string {
    return `192.0.2.${this.#generation}`;
  }

  async #isReady(): Promise<void> {
    const resolver = new Resolver({ timeout: 500, tries: 1 });
    resolver.setServers([formatEndpoint(this.address, this.port)]);
    await until('dnsmasq has the records', async () => {
      const { exit } = this.#program ?? {};
      if (exit !== undefined) throw new Error(`dnsmasq has ended:\n${exit.stderr}`);
      const found = await resolver.resolve4(marker).catch((): string[] => []);
      return found.includes(this.#expected) || undefined;
    });
  }
}
