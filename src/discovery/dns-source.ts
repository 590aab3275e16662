/**
 * Backends that DNS knows: addresses (a Kubernetes headless service, a name in Consul), or SRV records with ports and
 * weights. They are asked for again when their time to live is over, within bounds.
 */
import type { Endpoint, Net } from '../net/net.ts';
import { BackendSet } from './backend-set.ts';
import { type BackendSource, DiscoveryError, failureOf, type SourceUpdate } from './backend-source.ts';
import { type DnsFinding, findAddresses, findServices } from './dns-backends.ts';
import { DnsResolver } from './dns-resolver.ts';
import { systemServers } from './dns-servers.ts';
import type { Files } from './files.ts';
import { Rounds } from './rounds.ts';

/** Times in milliseconds. */
export interface DnsSourceOptions {
  /** A whole domain name: nothing is added to it. */
  readonly name: string;
  /** What is asked for: A and AAAA, or SRV. */
  readonly records: 'address' | 'srv';
  /** Of the backends; SRV records have ports of their own. */
  readonly port: number;
  /** The one family of addresses that counts; undefined: IPv4 where there is any, else IPv6. */
  readonly family: 4 | 6 | undefined;
  /** Who is asked, in this order; empty: the servers of the system. */
  readonly servers: readonly Endpoint[];
  /** Bounds for the time from one look to the next; after a look that failed it is the lower one. */
  readonly minInterval: number;
  readonly maxInterval: number;
  /** How long an answer without backends is doubted. */
  readonly emptyGrace: number;
}

export interface DnsSourceParts {
  readonly net: Net;
  readonly files: Pick<Files, 'read'>;
}

/** The part of the wait that chance may add, so that balancers that began together do not ask together. */
const jitter = 0.1;

export class DnsSource implements BackendSource {
  readonly #parts: DnsSourceParts;
  readonly #options: DnsSourceOptions;

  constructor(parts: DnsSourceParts, options: DnsSourceOptions) {
    this.#parts = parts;
    this.#options = options;
  }

  watch(onUpdate: (update: SourceUpdate) => void, signal: AbortSignal): Promise<void> {
    return new DnsWatch(this.#parts, this.#options, onUpdate, signal).start();
  }
}

class DnsWatch {
  readonly #parts: DnsSourceParts;
  readonly #options: DnsSourceOptions;
  readonly #onUpdate: (update: SourceUpdate) => void;
  readonly #signal: AbortSignal;
  readonly #set: BackendSet;
  readonly #rounds: Rounds;

  constructor(
    parts: DnsSourceParts,
    options: DnsSourceOptions,
    onUpdate: (update: SourceUpdate) => void,
    signal: AbortSignal,
  ) {
    const { name, emptyGrace } = options;
    this.#parts = parts;
    this.#options = options;
    this.#onUpdate = onUpdate;
    this.#signal = signal;
    this.#set = new BackendSet(parts.net, { source: name, emptyGrace }, onUpdate);
    this.#rounds = new Rounds(parts.net, () => this.#lookAgain());
  }

  async start(): Promise<void> {
    const next = await this.#look().catch((error: unknown) => {
      this.#signal.throwIfAborted();
      throw new DiscoveryError([failureOf(this.#options.name, error)]);
    });
    if (this.#signal.aborted) return;
    this.#signal.addEventListener('abort', () => this.#rounds.stop(), { once: true });
    this.#rounds.start(next);
  }

  async #lookAgain(): Promise<number> {
    try {
      return await this.#look();
    } catch (error) {
      if (!this.#signal.aborted) this.#onUpdate({ kind: 'failed', ...failureOf(this.#options.name, error) });
      return this.#spread(this.#options.minInterval);
    }
  }

  /** Resolves to the milliseconds until the next look. */
  async #look(): Promise<number> {
    this.#signal.throwIfAborted();
    const { backends, ttl } = await this.#find();
    this.#signal.throwIfAborted();
    this.#set.replace(backends);
    const { minInterval } = this.#options;
    return this.#spread(backends.length === 0 ? minInterval : Math.max(minInterval, ttl * 1_000));
  }

  async #find(): Promise<DnsFinding> {
    const { net, files } = this.#parts;
    const { servers, records } = this.#options;
    const resolver = new DnsResolver(net, servers.length > 0 ? servers : await systemServers(files));
    const find = records === 'srv' ? findServices : findAddresses;
    return find(resolver, this.#options, this.#signal);
  }

  /** `interval`, or a little more, and never more than the most. */
  #spread(interval: number): number {
    const spread = interval * (1 + jitter * this.#parts.net.random());
    return Math.min(spread, this.#options.maxInterval);
  }
}
