/** What befalls a balancer's servers, and what its operator does meanwhile, at random by seed. All of it is mended. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Noise } from '../fuzz/noise.ts';
import type { ConfiguredBalancer } from '../helpers/configured.ts';
import type { ChaosConfig } from './chaos-config.ts';
import type { ChaosServer, ChaosServers } from './chaos-servers.ts';

/** Milliseconds between two faults, and how long each lasts. */
const pause = { min: 50, max: 400 };
const length = { min: 100, max: 3_000 };

type Action = () => void | Promise<void>;

interface Fault {
  readonly kind: string;
  /** What it befalls: that has no second fault meanwhile. */
  readonly subject: string;
  readonly strike: Action;
  readonly mend: Action;
}

interface ChaosParts {
  readonly site: ConfiguredBalancer;
  readonly servers: ChaosServers;
  readonly config: ChaosConfig;
  readonly noise: Noise;
}

export class Chaos {
  /** How often each kind of fault happened. */
  readonly counts: Record<string, number> = {};
  readonly #parts: ChaosParts;
  readonly #lasting = new Map<string, { readonly mend: Action; readonly due: number }>();

  constructor(parts: ChaosParts) {
    this.#parts = parts;
  }

  /** Resolves after so many milliseconds, when everything is mended. Rejects when the balancer does not obey. */
  async rage(duration: number): Promise<void> {
    const { noise } = this.#parts;
    const end = performance.now() + duration;
    while (performance.now() < end) {
      await this.#strike(this.#fault());
      await sleep(noise.int(pause.min, pause.max));
      await this.#mend(performance.now());
    }
    await this.#mend(Infinity);
  }

  async #strike({ kind, subject, strike, mend }: Fault): Promise<void> {
    const lasting = this.#parts.noise.int(length.min, length.max);
    if (this.#lasting.has(subject)) return;
    this.#lasting.set(subject, { mend, due: performance.now() + lasting });
    this.counts[kind] = (this.counts[kind] ?? 0) + 1;
    await strike();
  }

  /** Ends the faults that have lasted until `now`. */
  async #mend(now: number): Promise<void> {
    for (const [subject, { mend, due }] of this.#lasting) {
      if (due > now) continue;
      this.#lasting.delete(subject);
      await mend();
    }
  }

  #fault(): Fault {
    const { noise, servers } = this.#parts;
    const services = noise.chance(0.5) ? ['boot', 'nat'] : ['files'];
    const server = noise.pick(services.length > 1 ? servers.tftp : servers.ftp) as ChaosServer;
    const { name } = server;
    const service = noise.pick(services) ?? '';
    const backend = `${service}/${name}`;
    switch (noise.int(0, 6)) {
      case 0:
      case 1:
        return { kind: 'kill', subject: name, strike: () => server.kill(), mend: () => server.restart() };
      case 2:
        return { kind: 'stop', subject: name, strike: () => server.pause(), mend: () => server.resume() };
      case 3:
        return this.#order(noise.chance(0.5) ? 'drain' : 'disable', 'enable', backend);
      case 4:
        return this.#order(`weight?value=${noise.int(1, 256)}`, 'weight?value=default', backend);
      case 5:
        return this.#reconfiguration();
      default:
        return { kind: 'bad reload', subject: 'nothing', strike: () => this.#misconfigure(), mend: () => {} };
    }
  }

  #order(order: string, opposite: string, backend: string): Fault {
    const { balancer } = this.#parts.site;
    const give = async (order: string): Promise<void> => {
      // A configuration without the backend may be in force.
      expectOneOf([200, 404], await balancer.order(backend, order));
    };
    return {
      kind: order.replace(/\?.*/, ''),
      subject: `${opposite} ${backend}`,
      strike: () => give(order),
      mend: () => give(opposite),
    };
  }

  #reconfiguration(): Fault {
    const { noise, config } = this.#parts;
    return {
      kind: 'reload',
      subject: 'configuration',
      strike: () => this.#reload(config.other(noise), 200),
      mend: () => this.#reload(config.usual(), 200),
    };
  }

  /** What was in force stays in force. */
  #misconfigure(): Promise<void> {
    return this.#reload('services: { boot: { protocol: tfpt } }\n', 422);
  }

  async #reload(text: string, status: number): Promise<void> {
    const { site } = this.#parts;
    site.write(text);
    expectOneOf([status], await site.balancer.post('/-/reload'));
  }
}

function expectOneOf(statuses: readonly number[], status: number): void {
  if (!statuses.includes(status)) throw new Error(`the balancer answered ${status} to an order`);
}
