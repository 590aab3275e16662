/** Balancers that take over from each other, one behind the other, as upgrades in place. */
import path from 'node:path';
import type { Endpoint } from '../../src/net/net.ts';
import { ConfiguredBalancer, fileOf, placeOf, type ServiceText } from './configured.ts';
import { temporaryFolder } from './folders.ts';
import type { Exit } from './processes.ts';

export type Site = Readonly<Record<string, ServiceText>>;

export class Upgrades {
  readonly socket: string;
  /** Where each service listens, from first to last. */
  readonly listeners: ReadonlyMap<string, Endpoint>;
  readonly #site: Site;
  readonly #flags: readonly string[];
  readonly #all: ConfiguredBalancer[];

  private constructor(
    site: Site,
    flags: readonly string[],
    first: ConfiguredBalancer,
    listeners: ReadonlyMap<string, Endpoint>,
    socket: string,
  ) {
    this.#site = site;
    this.#flags = flags;
    this.#all = [first];
    this.listeners = listeners;
    this.socket = socket;
  }

  /** Starts the first one, on ports that the kernel chooses. */
  static async start(site: Site, flags: readonly string[] = []): Promise<Upgrades> {
    const socket = path.join(temporaryFolder('upgrades'), 'admin.sock');
    const first = await ConfiguredBalancer.start(fileOf(site), [`--admin-socket=${socket}`, ...flags]);
    const listeners = new Map<string, Endpoint>();
    for (const name of Object.keys(site)) listeners.set(name, await first.listener(name));
    return new Upgrades(site, flags, first, listeners, socket);
  }

  /** The one that serves. */
  get latest(): ConfiguredBalancer {
    const latest = this.#all.at(-1);
    if (!latest) throw new Error('there is none');
    return latest;
  }

  /** Where the clients of a service arrive. */
  at(service: string): Endpoint {
    const listener = this.listeners.get(service);
    if (!listener) throw new Error(`there is no service ${service}`);
    return listener;
  }

  /** The same services at the places where they are. */
  get text(): string {
    const services = Object.entries(this.#site).map(([name, service]) => {
      return [name, { ...service, listeners: [placeOf(this.at(name))] }] as const;
    });
    return fileOf(Object.fromEntries(services));
  }

  /** What a process is started with that is to take over. */
  get flags(): string[] {
    return ['--takeover', `--admin-socket=${this.socket}`, ...this.#flags];
  }

  /** Another one takes over, with this configuration. */
  async next(text: string = this.text): Promise<ConfiguredBalancer> {
    const next = await ConfiguredBalancer.start(text, this.flags);
    this.#all.push(next);
    return next;
  }

  /** How all have ended but the latest. */
  ended(): Promise<Exit[]> {
    return Promise.all(this.#all.slice(0, -1).map(({ balancer }) => balancer.program.ended));
  }

  /** Transfers of TFTP that have ended, in whichever process, by their results. */
  results(): Record<string, number> {
    const results: Record<string, number> = {};
    for (const { balancer } of this.#all) {
      for (const { result } of balancer.sessions()) results[result] = (results[result] ?? 0) + 1;
    }
    return results;
  }
}
