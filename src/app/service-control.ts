/**
 * The control plane of one service: finds its backends, gives them their rows in the scoreboard, keeps them checked,
 * and tells the data plane of every new pool.
 *
 *   discovery -> rows -> lives of the backends -> pool -> data plane
 */
import type { IndexTable } from '../balance/index-table.ts';
import type { Backend, FoundBackend, Pool } from '../balance/pool.ts';
import type { Scoreboard } from '../balance/scoreboard.ts';
import type { ServiceConfig } from '../config/config.ts';
import type { SourceUpdate } from '../discovery/backend-source.ts';
import { HostSource } from '../discovery/host-source.ts';
import { createPassivePool } from '../engine/passive-pool.ts';
import type { Service } from '../engine/snapshot.ts';
import type { Order } from '../health/orders.ts';
import type { Net } from '../net/net.ts';
import type { BackendState, Emit, Event } from '../observe/events.ts';
import { type BackendLife, BackendLives } from './backend-lives.ts';
import { probeFor } from './probes.ts';
import { isOwnListener, SelfBackendError } from './self-backend.ts';

export interface ServiceControlParts {
  readonly net: Net;
  readonly scoreboard: Scoreboard;
  readonly indexes: IndexTable;
  readonly emit: Emit;
}

export class ServiceControl {
  readonly config: ServiceConfig;
  /** Row of the service in the scoreboard. */
  readonly index: number;
  readonly #parts: ServiceControlParts;
  readonly #source: HostSource;
  readonly #lives: BackendLives;
  readonly #stop = new AbortController();
  /** Without ports where the service is none of FTP. */
  readonly #passivePool: SharedArrayBuffer;
  #pool: Pool = { backends: [] };
  #isFirstRoundOver = false;
  /** Tells of a pool that has changed; undefined as long as nobody knows of the first one. */
  #onChange: (() => void) | undefined;

  /** `index` is the service's row in the scoreboard. Throws DuplicateBackendError, PasswordError or ProbeCommandError. */
  constructor(config: ServiceConfig, index: number, resolveInterval: number, parts: ServiceControlParts) {
    const { net, scoreboard, emit } = parts;
    this.config = config;
    this.index = index;
    this.#parts = parts;
    const passivePorts = config.kind === 'ftp' ? config.data.passivePorts : undefined;
    this.#passivePool = createPassivePool(passivePorts, scoreboard.size.workers);
    this.#source = new HostSource(net, { backends: config.backends, interval: resolveInterval });
    this.#lives = new BackendLives(config.name, config.health, {
      net,
      scoreboard,
      emit,
      probe: probeFor(config, net, emit),
      onWeights: () => this.#onWeights(),
    });
    void this.#lives.firstRound.then(() => {
      this.#isFirstRoundOver = true;
    });
  }

  get pool(): Pool {
    return this.#pool;
  }

  /** Whether each backend has been checked once, or checks are off. */
  get isFirstRoundOver(): boolean {
    return this.#isFirstRoundOver;
  }

  /** What the data plane needs to know of the service now. */
  get spec(): Service {
    const { config, index, pool } = this;
    const { name, listeners, policy, limits } = config;
    const common = { index, name, listeners, pool, policy, limits };
    if (config.kind === 'tftp') {
      const { kind, tids, requests, timing } = config;
      return { kind, ...common, tids, requests, timing };
    }
    const { kind, commands, data, timing } = config;
    return { kind, ...common, commands, data, timing, passivePool: this.#passivePool };
  }

  /**
   * Resolves when the first pool is known; `onChange` is called with each later one.
   * Rejects with DiscoveryError, SelfBackendError or TooManyBackendsError.
   */
  async start(onChange: () => void): Promise<void> {
    let first: unknown;
    const onUpdate = (update: SourceUpdate): void => {
      try {
        this.#take(update, this.#onChange === undefined);
        this.#onChange?.();
      } catch (error) {
        if (this.#onChange) this.#complain(this.config.name, error);
        else first = error;
      }
    };
    await this.#source.watch(onUpdate, this.#stop.signal);
    if (first !== undefined) throw first;
    this.#onChange = onChange;
  }

  stop(): void {
    this.#stop.abort();
    this.#lives.stop();
  }

  /** Takes every event; those of other services are left aside. */
  observe(event: Event): void {
    this.#lives.observe(event);
  }

  /** Undefined if there is no such backend. `by` is who gave the order. */
  obey(backend: string, order: Order, by: string): { backend: Backend; changed: boolean } | undefined {
    return this.#lives.obey(backend, order, by);
  }

  /** What there is to say of a backend of the pool beside its row in the scoreboard. */
  lifeOf(backend: Backend): BackendLife {
    return this.#lives.lifeOf(backend);
  }

  #take(update: SourceUpdate, isFirst: boolean): void {
    if (update.kind === 'failed') {
      this.#complain(update.source, update.error);
      return;
    }
    const found = update.backends.filter((backend) => this.#accepts(backend, isFirst));
    const pool = { backends: this.#parts.indexes.update(this.config.name, found) };
    this.#lives.update(pool);
    this.#announceChange(this.#pool, pool);
    this.#pool = this.#lives.pool;
  }

  #onWeights(): void {
    this.#pool = this.#lives.pool;
    this.#onChange?.();
  }

  /** Throws SelfBackendError at the start; later the backend is left out, since the operator is not there to be told. */
  #accepts(backend: FoundBackend, isFirst: boolean): boolean {
    if (!isOwnListener(backend, this.config.listeners, this.#parts.net.localAddresses())) return true;
    const error = new SelfBackendError(backend);
    if (isFirst) throw error;
    this.#complain(backend.name, error);
    return false;
  }

  #announceChange(before: Pool, after: Pool): void {
    for (const backend of before.backends) {
      if (!isIn(after, backend)) this.#announce(backend, 'up', 'removed');
    }
    for (const backend of after.backends) {
      if (!isIn(before, backend)) this.#announce(backend, 'unknown', 'added');
    }
  }

  #announce({ name, address }: Backend, from: string, to: BackendState['to']): void {
    const service = this.config.name;
    this.#parts.emit({
      kind: 'backend.state',
      service,
      backend: name,
      address,
      from,
      to,
      reason: 'discovery',
    });
  }

  #complain(source: string, error: unknown): void {
    const text = error instanceof Error ? error.message : String(error);
    this.#parts.emit({ kind: 'discovery.failed', service: this.config.name, source, error: text });
  }
}

function isIn(pool: Pool, { index }: Backend): boolean {
  return pool.backends.some((other) => other.index === index);
}
