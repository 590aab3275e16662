/**
 * The control plane of one service: finds its backends, gives them their rows in the scoreboard, keeps them checked,
 * and tells the data plane of every new pool.
 *
 *   discovery -> rows -> lives of the backends -> pool -> data plane
 */
import { isDeepStrictEqual } from 'node:util';

import type { IndexTable } from '../balance/index-table.ts';
import { type Backend, type FoundBackend, isSameBackend, type Pool } from '../balance/pool.ts';
import type { Scoreboard } from '../balance/scoreboard.ts';
import type { BackendConfig, ServiceConfig } from '../config/config.ts';
import type { SourceUpdate } from '../discovery/backend-source.ts';
import { specNameOf } from '../discovery/backend-spec.ts';
import { createPassivePool } from '../engine/passive-pool.ts';
import type { PortRange, Service } from '../engine/snapshot.ts';
import type { Order, Revision, SavedOrders } from '../health/orders.ts';
import type { Net } from '../net/net.ts';
import type { BackendState, Emit, Event } from '../observe/events.ts';
import { type BackendLife, BackendLives } from './backend-lives.ts';
import { BackendWatch } from './backend-watch.ts';
import { type Prepared, prepareAll, unchanged } from './prepared.ts';
import { probeFor } from './probes.ts';
import type { SharedTables } from './shared-tables.ts';
import { UserMapFile } from './user-map-file.ts';
import { isOwnListener, SelfBackendError } from './self-backend.ts';
import { haveSameCertificates, ServiceCertificates } from './service-certificates.ts';
import { specOf } from './service-spec.ts';
import { trafficOf } from './traffic.ts';

export interface ServiceControlParts {
  readonly net: Net;
  readonly scoreboard: Scoreboard;
  readonly indexes: IndexTable;
  readonly emit: Emit;
  readonly tables: SharedTables;
  /** The pool is another one. */
  readonly onChange: () => void;
}

export class ServiceControl {
  /** Row of the service in the scoreboard. */
  readonly index: number;
  readonly #parts: ServiceControlParts;
  readonly #lives: BackendLives;
  readonly #stop = new AbortController();
  #config: ServiceConfig;
  #passivePool: SharedArrayBuffer;
  /** Where backends come from, once it is open. */
  #watch: BackendWatch | undefined;
  #userMap: UserMapFile | undefined;
  #certificates: ServiceCertificates | undefined;
  readonly #certificatesNow = () => this.#certificates?.current;
  #pool: Pool = { backends: [] };
  #isFirstRoundOver = false;

  /** `index` is the service's row in the scoreboard. Throws PasswordError or ProbeCommandError. */
  constructor(config: ServiceConfig, index: number, parts: ServiceControlParts) {
    const { net, scoreboard, emit } = parts;
    this.#config = config;
    this.index = index;
    this.#parts = parts;
    this.#passivePool = createPassivePool(passivePortsOf(config), scoreboard.size.workers);
    this.#lives = new BackendLives(config.name, config.health, {
      net,
      scoreboard,
      emit,
      probe: probeFor(config, net, emit, this.#certificatesNow),
      onWeights: () => this.#onWeights(),
    });
    void this.#lives.firstRound.then(() => {
      this.#isFirstRoundOver = true;
    });
  }

  get config(): ServiceConfig {
    return this.#config;
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
    const { index, pool } = this;
    const { scoreboard, tables } = this.#parts;
    const traffic = trafficOf(this.#config, tables, { index, rows: scoreboard.size.services });
    const userMap = this.#userMap?.text;
    const certificates = this.#certificates?.current;
    const own = { userMap, certificates, traffic };
    return specOf(this.#config, { index, pool, passivePool: this.#passivePool, ...own });
  }

  /** Resolves when the first backends are known. Rejects with DiscoveryError, SelfBackendError or UserMapFileError. */
  async open(): Promise<void> {
    this.#userMap = await this.#openUserMap(this.#config);
    this.#certificates = await this.#openCertificates(this.#config);
    this.#certificates?.announce();
    this.#watch = await BackendWatch.open(this.#config, this.#parts.net, this.#stop.signal);
  }

  /** Takes them as the first pool, and whatever comes later as the next ones. Throws TooManyBackendsError. */
  begin(): void {
    let fault: unknown;
    let isFirst = true;
    this.#watch?.follow((update) => {
      try {
        this.#take(update);
        if (!isFirst) this.#parts.onChange();
      } catch (error) {
        if (isFirst) fault = error;
        else this.complain(this.#config.name, error);
      }
    });
    isFirst = false;
    if (fault !== undefined) throw fault;
  }

  /**
   * Makes sure that the service can be as `config` has it. Rejects with PasswordError, ProbeCommandError, DiscoveryError,
   * SelfBackendError or UserMapFileError.
   */
  async prepare(config: ServiceConfig): Promise<Prepared> {
    const { net, emit } = this.#parts;
    const probe = probeFor(config, net, emit, this.#certificatesNow);
    const adopt = (): void => {
      this.#replacePassivePool(config);
      this.#lives.configure(config.health, probe);
      this.#lives.revise(revisionBetween(this.#config.backends, config.backends));
      this.#config = config;
    };
    return prepareAll([
      async () => ({ adopt, cancel: () => undefined }),
      () => this.#prepareUserMap(config),
      () => this.#prepareCertificates(config),
      () => this.#prepareWatch(config),
    ]);
  }

  /** The service is gone, and its backends with it. */
  leave(): void {
    this.stop();
    this.#take({ kind: 'backends', backends: [] });
  }

  /** As Services.recall: those that the service does not have are as if it had had them until now. */
  recall(backends: readonly FoundBackend[]): Backend[] {
    const { indexes } = this.#parts;
    const { name } = this.#config;
    const strangers = backends.filter(
      (backend) => !this.#pool.backends.some((own) => isSameBackend(own, backend)),
    );
    const all = indexes.update(name, [...this.#pool.backends, ...strangers]);
    indexes.update(name, this.#pool.backends);
    return backends.flatMap((backend) => all.find((known) => isSameBackend(known, backend)) ?? []);
  }

  stop(): void {
    this.#stop.abort();
    this.#userMap?.stop();
    this.#certificates?.stop();
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

  /** The operator's orders, for another process; and those of another one, which are in force here from now on. */
  saveOrders(): SavedOrders[] {
    return this.#lives.saveOrders();
  }

  restoreOrders(orders: readonly SavedOrders[]): void {
    this.#lives.restoreOrders(orders);
  }

  /** What there is to say of a backend of the pool beside its row in the scoreboard. */
  lifeOf(backend: Backend): BackendLife {
    return this.#lives.lifeOf(backend);
  }

  async #prepareUserMap(config: ServiceConfig): Promise<Prepared> {
    if (userMapOf(this.#config) === userMapOf(config)) return unchanged;
    const userMap = await this.#openUserMap(config);
    return {
      adopt: () => {
        this.#userMap?.stop();
        this.#userMap = userMap;
      },
      cancel: () => userMap?.stop(),
    };
  }

  /** They are read in any case: whoever replaces files and then asks for a reload need not wait for the next look. */
  async #prepareCertificates(config: ServiceConfig): Promise<Prepared> {
    const certificates = await this.#openCertificates(config);
    const isAsBefore = isDeepStrictEqual(certificates?.current, this.#certificates?.current);
    if (isAsBefore && haveSameCertificates(this.#config, config)) {
      certificates?.stop();
      return unchanged;
    }
    return {
      adopt: () => {
        this.#certificates?.stop();
        this.#certificates = certificates;
        certificates?.announce();
      },
      cancel: () => certificates?.stop(),
    };
  }

  async #prepareWatch(config: ServiceConfig): Promise<Prepared> {
    if (isFoundAlike(this.#config, config)) return unchanged;
    const watch = await BackendWatch.open(config, this.#parts.net, this.#stop.signal);
    return { adopt: () => this.#replaceWatch(watch), cancel: () => watch.stop() };
  }

  /** Resolves to what it has of users, once that is read. Rejects with UserMapFileError. */
  async #openUserMap(config: ServiceConfig): Promise<UserMapFile | undefined> {
    const path = userMapOf(config);
    if (path === undefined) return undefined;
    const { net, emit, onChange } = this.#parts;
    const whose = { service: config.name, path };
    const file = new UserMapFile(path, {
      clock: net,
      onChange: (users) => {
        emit({ kind: 'ftp.users.loaded', ...whose, users });
        onChange();
      },
      onFault: (error) => emit({ kind: 'ftp.users.failed', ...whose, error }),
    });
    await file.start();
    return file;
  }

  #openCertificates(config: ServiceConfig): Promise<ServiceCertificates | undefined> {
    const { net: clock, emit, onChange } = this.#parts;
    return ServiceCertificates.open(config, { clock, now: () => new Date(), emit, onChange });
  }

  /** What `source` says of backends is of no use; those that are known stay. */
  complain(source: string, error: unknown): void {
    const text = error instanceof Error ? error.message : String(error);
    this.#parts.emit({ kind: 'discovery.failed', service: this.#config.name, source, error: text });
  }

  #replaceWatch(watch: BackendWatch): void {
    this.#watch?.stop();
    this.#watch = watch;
    try {
      this.begin();
    } catch (error) {
      this.complain(this.#config.name, error);
    }
  }

  /** The same ports stay lent to whom they are lent. */
  #replacePassivePool(config: ServiceConfig): void {
    const ports = passivePortsOf(config);
    if (isDeepStrictEqual(ports, passivePortsOf(this.#config))) return;
    this.#passivePool = createPassivePool(ports, this.#parts.scoreboard.size.workers);
  }

  #take(update: SourceUpdate): void {
    if (update.kind === 'failed') {
      this.complain(update.source, update.error);
      return;
    }
    const found = update.backends.filter((backend) => this.#accepts(backend));
    const pool = { backends: this.#parts.indexes.update(this.#config.name, found) };
    // It clears the rows of newcomers, which must have happened before the data plane sees them.
    this.#lives.update(pool);
    this.#announceChange(this.#pool, pool);
    this.#pool = this.#lives.pool;
  }

  #onWeights(): void {
    this.#pool = this.#lives.pool;
    this.#parts.onChange();
  }

  /** One that turns out to be the balancer itself is left out, since the operator is not there to be told. */
  #accepts(backend: FoundBackend): boolean {
    if (!isOwnListener(backend, this.#config.listeners, this.#parts.net.localAddresses())) return true;
    this.complain(backend.name, new SelfBackendError(backend));
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
    this.#parts.emit({
      kind: 'backend.state',
      service: this.#config.name,
      backend: name,
      address,
      from,
      to,
      reason: 'discovery',
    });
  }
}

function isIn(pool: Pool, { index }: Backend): boolean {
  return pool.backends.some((other) => other.index === index);
}

/** What a configuration says anew of a backend, by the backend's name. */
function revisionBetween(
  before: readonly BackendConfig[],
  after: readonly BackendConfig[],
): (backend: string) => Revision {
  const [earlier, later] = [before, after].map(
    (backends) => new Map(backends.map(({ name, weight }) => [name, weight])),
  );
  return (backend) => {
    const name = specNameOf(backend);
    const weight = later?.get(name);
    if (weight === undefined) return { kind: 'gone' };
    return weight === earlier?.get(name) ? { kind: 'same' } : { kind: 'weight', weight };
  };
}

function userMapOf(config: ServiceConfig): string | undefined {
  return config.kind === 'ftp' ? config.userMap : undefined;
}

function passivePortsOf(config: ServiceConfig): PortRange | undefined {
  return config.kind === 'ftp' ? config.data.passivePorts : undefined;
}

/** Whether both find the same backends. */
function isFoundAlike(one: ServiceConfig, other: ServiceConfig): boolean {
  return isDeepStrictEqual(foundBy(one), foundBy(other));
}

function foundBy({ backends, discovery, listeners }: ServiceConfig): unknown {
  return { backends, discovery, listeners };
}
