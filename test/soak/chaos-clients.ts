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
/** Clients of each service. */
const size = 5;
/** Milliseconds between two attempts at most, and behind one that failed. */
const pause = 60;
const rest = 300;

type Protocol = (typeof services)[keyof typeof services];

/** Those of one service. */
interface Group {
  readonly protocol: Protocol;
  readonly load: Load;
  readonly clients: readonly ChaosClient[];
}

export class ChaosClients {
  readonly #groups: readonly Group[];
  #isOver = false;
  #work: Promise<unknown> = Promise.resolve();

  private constructor(groups: readonly Group[]) {
    this.#groups = groups;
  }

  static async of(site: ConfiguredBalancer, servers: ChaosServers, seed: number): Promise<ChaosClients> {
    const groups: Group[] = [];
    for (const [service, protocol] of Object.entries(services)) {
      const load = new Load({ service, listener: await site.listener(service), servers: servers[protocol] });
      const Kind = protocol === 'ftp' ? FtpClient : TftpClient;
      const firstSeed = seed + size * groups.length;
      const clients = Array.from({ length: size }, (_, n) => new Kind(load, new Noise(firstSeed + n)));
      groups.push({ protocol, load, clients });
    }
    return new ChaosClients(groups);
  }

  /** Each client has so many sessions. Resolves with how the last of them ended. */
  async attempt(count: Readonly<Record<Protocol, number>>): Promise<Outcome[]> {
    const work = this.#groups.flatMap(({ protocol, clients }) =>
      clients.map((client) => attempt(client, count[protocol])),
    );
    return Promise.all(work);
  }

  /** From now on with files of all sizes, on and on. */
  start(seed: number): void {
    for (const { protocol, load } of this.#groups) load.sizes = sizes[protocol];
    const clients = this.#groups.flatMap(({ clients }) => clients);
    this.#work = Promise.all(clients.map((client, n) => this.#goOn(client, new Noise(seed + n))));
  }

  /** No further transfer begins. Resolves when the last one has ended. */
  async stop(): Promise<void> {
    this.#isOver = true;
    await this.#work;
  }

  /** All that were ever tried. */
  get attempts(): Attempt[] {
    return this.#groups.flatMap(({ load }) => load.attempts);
  }

  async #goOn(client: ChaosClient, noise: Noise): Promise<void> {
    while (!this.#isOver) {
      const { kind } = await client.attempt();
      await sleep(kind === 'done' ? noise.int(0, pause) : rest);
    }
  }
}

async function attempt(client: ChaosClient, count: number): Promise<Outcome> {
  for (let done = 1; done < count; done += 1) await client.attempt();
  return client.attempt();
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
