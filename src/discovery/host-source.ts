/**
 * Backends that the operator names one by one, by address or by host name. A host name stands for all of its
 * addresses of one family, each of which is a backend. Names are resolved at the start and again after every interval,
 * each on its own, so that one that hangs holds up no other; numeric addresses are never asked for.
 */
import type { FoundBackend } from '../balance/pool.ts';
import type { Net, Timer } from '../net/net.ts';
import { addressesOfOneFamily, numericAddress } from './addresses.ts';
import {
  type BackendSource,
  DiscoveryError,
  type Failure,
  failureOf,
  type SourceUpdate,
} from './backend-source.ts';
import { type BackendSpec, nameAt, type NamedSpec, nameSpecs } from './backend-spec.ts';
import { unlessAborted } from './unless-aborted.ts';

export type Resolver = Pick<Net, 'lookup' | 'setTimer'>;

export interface HostSourceOptions {
  readonly backends: readonly BackendSpec[];
  /** Milliseconds from one resolution of a name to the next. */
  readonly interval: number;
}

export class HostSource implements BackendSource {
  readonly #resolver: Resolver;
  readonly #specs: readonly NamedSpec[];
  readonly #interval: number;

  /** Throws DuplicateBackendError. */
  constructor(resolver: Resolver, { backends, interval }: HostSourceOptions) {
    this.#resolver = resolver;
    this.#specs = nameSpecs(backends);
    this.#interval = interval;
  }

  watch(onUpdate: (update: SourceUpdate) => void, signal: AbortSignal): Promise<void> {
    return new HostWatch(this.#resolver, this.#specs, this.#interval, onUpdate, signal).start();
  }
}

class HostWatch {
  readonly #resolver: Resolver;
  readonly #specs: readonly NamedSpec[];
  readonly #interval: number;
  readonly #onUpdate: (update: SourceUpdate) => void;
  readonly #signal: AbortSignal;
  /** What each host resolved to when it last did. */
  readonly #addresses = new Map<string, readonly string[]>();
  readonly #timers = new Map<string, Timer>();

  constructor(
    resolver: Resolver,
    specs: readonly NamedSpec[],
    interval: number,
    onUpdate: (update: SourceUpdate) => void,
    signal: AbortSignal,
  ) {
    this.#resolver = resolver;
    this.#specs = specs;
    this.#interval = interval;
    this.#onUpdate = onUpdate;
    this.#signal = signal;
  }

  async start(): Promise<void> {
    const names = this.#sortHosts();
    const failures = await unlessAborted(Promise.all(names.map((name) => this.#resolve(name))), this.#signal);
    const failed = failures.filter((failure) => failure !== undefined);
    if (failed.length > 0) throw new DiscoveryError(failed);
    this.#tellBackends();
    if (this.#signal.aborted) return;
    this.#signal.addEventListener('abort', () => this.#stop(), { once: true });
    for (const name of names) this.#resolveLater(name);
  }

  /** Notes the numeric hosts and returns the names that must be resolved, each once. */
  #sortHosts(): string[] {
    const names = new Set<string>();
    for (const { host } of this.#specs) {
      const address = numericAddress(host);
      if (address === undefined) names.add(host);
      else this.#addresses.set(host, [address]);
    }
    return [...names];
  }

  /** Keeps the last addresses of a host that cannot be resolved, and returns why it cannot. */
  async #resolve(host: string): Promise<Failure | undefined> {
    try {
      this.#addresses.set(host, addressesOfOneFamily(await this.#resolver.lookup(host)));
      return undefined;
    } catch (error) {
      return failureOf(host, error);
    }
  }

  #resolveLater(host: string): void {
    const timer = this.#resolver.setTimer(this.#interval, () => void this.#resolveAgain(host));
    this.#timers.set(host, timer);
  }

  async #resolveAgain(host: string): Promise<void> {
    const before = this.#addresses.get(host)?.join();
    const failure = await this.#resolve(host);
    if (this.#signal.aborted) return;
    this.#resolveLater(host);
    if (failure) this.#onUpdate({ kind: 'failed', ...failure });
    else if (this.#addresses.get(host)?.join() !== before) this.#tellBackends();
  }

  #tellBackends(): void {
    this.#onUpdate({ kind: 'backends', backends: this.#specs.flatMap((spec) => this.#backendsOf(spec)) });
  }

  #backendsOf({ host, name, port, weight }: NamedSpec): FoundBackend[] {
    const addresses = this.#addresses.get(host) ?? [];
    return addresses.map((address) => {
      const own = addresses.length === 1 ? name : nameAt(name, address);
      const found = { name: own, address, port, weight };
      return numericAddress(host) === undefined ? Object.assign(found, { host }) : found;
    });
  }

  #stop(): void {
    for (const timer of this.#timers.values()) timer.cancel();
  }
}
