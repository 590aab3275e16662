/** All clients of all services together. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Noise } from '../fuzz/noise.ts';
import type { ConfiguredBalancer } from '../helpers/configured.ts';
import { type Attempt, type ChaosClient, Load, type Outcome } from './chaos-attempts.ts';
import { FtpClient } from './chaos-ftp-client.ts';
import type { ChaosServers } from './chaos-servers.ts';
import { TftpClient } from './chaos-tftp-client.ts';

/** Bytes of the files. */
const sizes = { tftp: [0, 1, 511, 512, 10_000, 80_000], ftp: [0, 1, 10_000, 300_000, 1_000_000] } as const;
const services = { boot: 'tftp', nat: 'tftp', files: 'ftp' } as const;
/** Of each service. */
const clients = 5;
/** Milliseconds between two attempts at most, and behind one that failed. */
const pause = 60;
const rest = 300;

type Protocol = (typeof services)[keyof typeof services];

interface Member {
  readonly protocol: Protocol;
  readonly client: ChaosClient;
}

export class ChaosClients {
  readonly #loads: readonly Load[];
  readonly #clients: readonly Member[];
  #isOver = false;
  #work: Promise<unknown> = Promise.resolve();

  private constructor(loads: readonly Load[], clients: readonly Member[]) {
    this.#loads = loads;
    this.#clients = clients;
  }

  static async of(site: ConfiguredBalancer, servers: ChaosServers, seed: number): Promise<ChaosClients> {
    const loads: Load[] = [];
    const all: Member[] = [];
    for (const [service, protocol] of Object.entries(services)) {
      const listener = await site.listener(service);
      const load = new Load({ service, listener, servers: servers[protocol], sizes: sizes[protocol] });
      const Kind = protocol === 'ftp' ? FtpClient : TftpClient;
      for (let n = 1; n <= clients; n += 1) {
        all.push({ protocol, client: new Kind(load, new Noise(seed + all.length)) });
      }
      loads.push(load);
    }
    return new ChaosClients(loads, all);
  }

  /** Each has so many sessions. Resolves with how the last of them ended. */
  async attempt(count: Readonly<Record<Protocol, number>>): Promise<Outcome[]> {
    const work = this.#clients.map(async ({ protocol, client }) => {
      for (let done = 1; done < count[protocol]; done += 1) await client.attempt();
      return client.attempt();
    });
    return Promise.all(work);
  }

  start(seed: number): void {
    this.#work = Promise.all(this.#clients.map(({ client }, n) => this.#workOf(client, new Noise(seed + n))));
  }

  /** No further transfer begins. Resolves when the last one has ended. */
  async stop(): Promise<void> {
    this.#isOver = true;
    await this.#work;
  }

  /** All that were ever tried. */
  get attempts(): Attempt[] {
    return this.#loads.flatMap(({ attempts }) => attempts);
  }

  async #workOf(client: ChaosClient, noise: Noise): Promise<void> {
    while (!this.#isOver) {
      const { kind } = await client.attempt();
      await sleep(kind === 'done' ? noise.int(0, pause) : rest);
    }
  }
}

/** How the attempts of each service ended. */
export function tally(attempts: readonly Attempt[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const { service, op, outcome } of attempts) {
    const key = `${service} ${op} ${outcome.kind}`;
    counts[key] = (counts[key] ?? 0) + 1;
  }
  return counts;
}
