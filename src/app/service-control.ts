/**
 * The control plane of one service: finds its backends, gives them their rows in the scoreboard, keeps them checked,
 * and tells the data plane of every new pool.
 *
 *   discovery -> rows -> health and ejection -> pool -> data plane
 */
import type { IndexTable } from '../balance/index-table.ts';
import type { Backend, FoundBackend, Pool } from '../balance/pool.ts';
import type { Scoreboard } from '../balance/scoreboard.ts';
import type { ServiceConfig } from '../config/config.ts';
import type { BackendSource, SourceUpdate } from '../discovery/backend-source.ts';
import { createBackendSource, type SourceSpec } from '../discovery/create-source.ts';
import { nodeFiles } from '../discovery/node-files.ts';
import { createPassivePool } from '../engine/passive-pool.ts';
import type { Service } from '../engine/snapshot.ts';
import { EjectionKeeper } from '../health/ejection.ts';
import { HealthScheduler } from '../health/scheduler.ts';
import type { Net } from '../net/net.ts';
import type { BackendState, BackendSuspect, Emit } from '../observe/events.ts';
import { probeFor } from './probes.ts';
import { isOwnListener, SelfBackendError } from './self-backend.ts';

/** Health checks of one service that may run at the same time. */
const maxChecksAtOnce = 16;

export interface ServiceControlParts {
  readonly net: Net;
  readonly scoreboard: Scoreboard;
  readonly indexes: IndexTable;
  readonly emit: Emit;
}

/** A service, and where its backends come from if not from its own list. */
export type ControlledService = ServiceConfig & { readonly source?: SourceSpec };

export class ServiceControl {
  readonly config: ServiceConfig;
  /** Row of the service in the scoreboard. */
  readonly index: number;
  readonly #parts: ServiceControlParts;
  readonly #source: BackendSource;
  readonly #health: HealthScheduler;
  readonly #ejection: EjectionKeeper;
  readonly #stop = new AbortController();
  /** Without ports where the service is none of FTP. */
  readonly #passivePool: SharedArrayBuffer;
  #pool: Pool = { backends: [] };
  #isFirstRoundOver = false;

  /** `index` is the service's row in the scoreboard. Throws DuplicateBackendError, and PasswordError where it needs one. */
  constructor(config: ControlledService, index: number, resolveInterval: number, parts: ServiceControlParts) {
    const { net, scoreboard, emit } = parts;
    const { name: service, health } = config;
    const { interval, rise, fall, ejectTime } = health;
    this.config = config;
    this.index = index;
    this.#parts = parts;
    const passivePorts = config.kind === 'ftp' ? config.data.passivePorts : undefined;
    this.#passivePool = createPassivePool(passivePorts, scoreboard.size.workers);
    const source = config.source ?? { kind: 'static', backends: config.backends, interval: resolveInterval };
    this.#source = createBackendSource(source, { net, files: nodeFiles });
    this.#health = new HealthScheduler(
      { net, probe: probeFor(config, net), scoreboard, emit },
      { service, interval, thresholds: { rise, fall }, maxAtOnce: maxChecksAtOnce },
    );
    this.#ejection = new EjectionKeeper({ clock: net, scoreboard, emit }, { service, duration: ejectTime });
    void this.#health.firstRound.then(() => {
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
    let isStarted = false;
    const onUpdate = (update: SourceUpdate): void => {
      try {
        this.#take(update, !isStarted);
        if (isStarted) onChange();
      } catch (error) {
        if (isStarted) this.#complain(this.config.name, error);
        else first = error;
      }
    };
    await this.#source.watch(onUpdate, this.#stop.signal);
    if (first !== undefined) throw first;
    isStarted = true;
  }

  stop(): void {
    this.#stop.abort();
    this.#health.stop();
    this.#ejection.stop();
  }

  /** Live traffic found a backend of some service bad. */
  suspected(event: BackendSuspect): void {
    this.#ejection.suspected(event);
  }

  /** A worker has died, perhaps before it could tell which backends it found bad. */
  adoptEjections(): void {
    this.#ejection.adopt();
  }

  #take(update: SourceUpdate, isFirst: boolean): void {
    if (update.kind === 'failed') {
      this.#complain(update.source, update.error);
      return;
    }
    const found = update.backends.filter((backend) => this.#accepts(backend, isFirst));
    const pool = { backends: this.#parts.indexes.update(this.config.name, found) };
    // Both clear the rows of newcomers, which must have happened before the data plane sees them.
    this.#health.update(pool);
    this.#ejection.update(pool);
    this.#announceChange(this.#pool, pool);
    this.#pool = pool;
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
