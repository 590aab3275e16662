/** The control planes of all services: those that there are, those that come, and what is left of those that went. */
import { IndexTable } from '../balance/index-table.ts';
import type { Backend, FoundBackend } from '../balance/pool.ts';
import type { Scoreboard } from '../balance/scoreboard.ts';
import type { ServiceConfig } from '../config/config.ts';
import type { Service } from '../engine/snapshot.ts';
import type { Net } from '../net/net.ts';
import type { Emit, Event } from '../observe/events.ts';
import type { ServiceOrders } from '../runtime/takeover-talk.ts';
import { type Prepared, prepareAll } from './prepared.ts';
import type { ReloadPlan } from './reload-plan.ts';
import { ServiceControl } from './service-control.ts';
import { ServiceRows } from './service-rows.ts';
import type { SharedTables } from './shared-tables.ts';

/** Services that may be known at once, removed ones with running sessions included. */
export const maxServices = 256;

export interface ServicesParts {
  readonly net: Net;
  readonly scoreboard: Scoreboard;
  readonly emit: Emit;
  readonly tables: SharedTables;
  /** Some pool is another one. */
  readonly onChange: () => void;
}

/** A service that is gone, perhaps with sessions that are not. */
export interface LeavingService {
  readonly name: string;
  readonly kind: ServiceConfig['kind'];
  readonly index: number;
}

export class Services {
  readonly #parts: ServicesParts;
  readonly #rows: ServiceRows;
  readonly #indexes: IndexTable;
  #controls: readonly ServiceControl[];
  readonly #leaving = new Set<LeavingService>();

  /** Throws PasswordError, ProbeCommandError or TooManyServicesError. */
  constructor(services: readonly ServiceConfig[], parts: ServicesParts) {
    this.#parts = parts;
    this.#rows = new ServiceRows(parts.scoreboard, maxServices);
    this.#indexes = new IndexTable(parts.scoreboard);
    this.#controls = services.map((service) => this.#create(service));
  }

  /** In the order of the configuration. */
  get controls(): readonly ServiceControl[] {
    return this.#controls;
  }

  /** What the data plane needs to know of them. */
  get specs(): Service[] {
    return this.#controls.map(({ spec }) => spec);
  }

  /** Sessions that have not ended, of services that are gone too. */
  get activeSessions(): number {
    const rows = [...this.#controls, ...this.#leaving].map(({ index }) => index);
    return rows.reduce((sum, row) => sum + this.#parts.scoreboard.activeOf(row), 0);
  }

  /** Resolves when the first pools are known. Rejects with DiscoveryError, SelfBackendError or TooManyBackendsError. */
  async start(): Promise<void> {
    await Promise.all(this.#controls.map((control) => control.open()));
    for (const control of this.#controls) control.begin();
  }

  /** Makes sure that services can be as planned. Rejects with what keeps one from it. */
  prepare({ added, kept }: ReloadPlan, order: readonly ServiceConfig[]): Promise<Prepared> {
    const created = new Map<string, ServiceControl>();
    return prepareAll([
      ...kept.map((service) => () => this.#prepareKept(service)),
      ...added.map((service) => () => this.#prepareAdded(service, created)),
      async () => this.#prepareOrder(order, created),
    ]);
  }

  /** Those of which nothing is left any more, each told once. */
  gone(): LeavingService[] {
    const gone = [...this.#leaving].filter(({ index }) => this.#rows.isFree(index));
    for (const service of gone) this.#leaving.delete(service);
    return gone;
  }

  /** Takes every event. */
  observe(event: Event): void {
    for (const control of this.#controls) control.observe(event);
  }

  /**
   * Rows of the scoreboard for backends that running sessions of a service have, whether it still has them or not.
   * Throws TooManyBackendsError.
   */
  recall(service: string, backends: readonly FoundBackend[]): Backend[] {
    const control = this.#controls.find(({ config }) => config.name === service);
    if (!control) throw new TypeError(`there is no service ${service}`);
    return control.recall(backends);
  }

  /** The operator's orders, for another process. */
  saveOrders(): ServiceOrders[] {
    return this.#controls.map((control) => ({ service: control.config.name, orders: control.saveOrders() }));
  }

  /** Those of another process are in force here. Those of services that are not here are forgotten. */
  restoreOrders(saved: readonly ServiceOrders[]): void {
    for (const { service, orders } of saved) {
      this.#controls.find(({ config }) => config.name === service)?.restoreOrders(orders);
    }
  }

  stop(): void {
    for (const control of this.#controls) control.stop();
  }

  #create(service: ServiceConfig): ServiceControl {
    const index = this.#rows.take(service.name);
    try {
      return new ServiceControl(service, index, { ...this.#parts, indexes: this.#indexes });
    } catch (error) {
      this.#rows.leave(index);
      throw error;
    }
  }

  async #prepareKept(service: ServiceConfig): Promise<Prepared> {
    const control = this.#controls.find(({ config }) => config.name === service.name);
    if (!control) throw new TypeError(`there is no service ${service.name}`);
    return control.prepare(service);
  }

  async #prepareAdded(service: ServiceConfig, created: Map<string, ServiceControl>): Promise<Prepared> {
    const control = this.#create(service);
    const cancel = (): void => {
      control.stop();
      this.#rows.leave(control.index);
    };
    try {
      await control.open();
    } catch (error) {
      cancel();
      throw error;
    }
    created.set(service.name, control);
    return { adopt: () => undefined, cancel };
  }

  /** Those that go make room before others come: names and backends may be the same. */
  #prepareOrder(order: readonly ServiceConfig[], created: ReadonlyMap<string, ServiceControl>): Prepared {
    const adopt = (): void => {
      const stays = new Set(order.map(({ name }) => name).filter((name) => !created.has(name)));
      const before = new Map(this.#controls.map((control) => [control.config.name, control]));
      for (const [name, control] of before) {
        if (!stays.has(name)) this.#remove(control);
      }
      this.#controls = order.flatMap(({ name }) => created.get(name) ?? before.get(name) ?? []);
      for (const control of created.values()) begin(control);
    };
    return { adopt, cancel: () => undefined };
  }

  #remove(control: ServiceControl): void {
    const { name, kind } = control.config;
    control.leave();
    this.#parts.tables.forget(name);
    this.#rows.leave(control.index);
    this.#leaving.add({ name, kind, index: control.index });
  }
}

/** The operator is not there to be told of what only shows now. */
function begin(control: ServiceControl): void {
  try {
    control.begin();
  } catch (error) {
    control.complain(control.config.name, error);
  }
}
