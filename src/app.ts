/** The composition root: builds the balancer out of a Config, runs it, drains it, stops it. */
import { IndexTable } from './balance/index-table.ts';
import { Scoreboard } from './balance/scoreboard.ts';
import type { Config } from './config/config.ts';
import type { ListenerSpec, Snapshot } from './engine/snapshot.ts';
import { ServiceControl } from './app/service-control.ts';
import { Report } from './app/report.ts';
import { SharedTables } from './app/shared-tables.ts';
import { routeRows } from './app/traffic.ts';
import { TransferLogs } from './app/transfer-log.ts';
import type { Endpoint, Net } from './net/net.ts';
import { type AdminServer, startAdmin } from './observe/admin.ts';
import { Bus, type Subscriber } from './observe/bus.ts';
import { dropReasons, type Event } from './observe/events.ts';
import { logEvents } from './observe/log-events.ts';
import type { Logger } from './observe/log.ts';
import { Metrics } from './observe/metrics.ts';
import type { Readiness, Status, StatusSource } from './observe/status.ts';
import type { EngineNotice } from './runtime/engine-choice.ts';
import type { DataPlane } from './runtime/data-plane.ts';
import { LocalDataPlane } from './runtime/local-data-plane.ts';
import type { Threads } from './runtime/node-threads.ts';
import { Supervisor } from './runtime/supervisor.ts';

/** Backends that may be known at once, removed ones with running sessions included. */
const maxBackends = 1_024;

const mainThread: EngineNotice = { name: 'portable', reason: 'it runs in the main thread' };

export interface AppParts {
  readonly net: Net;
  readonly log: Logger;
  readonly version: string;
  /** Is told every event, beside log and metrics. */
  readonly observer?: Subscriber;
  /** What the engines run in; this thread if left out. */
  readonly threads?: Threads;
}

export type DrainOutcome = 'drained' | 'timed-out' | 'forced';

export class App implements StatusSource {
  readonly #config: Config;
  readonly #parts: AppParts;
  readonly #bus: Bus;
  readonly #scoreboard: Scoreboard;
  readonly #controls: readonly ServiceControl[];
  readonly #report: Report;
  readonly #metrics: Metrics;
  readonly #startedAt: number;
  readonly #stopped = new AbortController();
  /** What ends with the app. */
  readonly #subscriptions: (() => void)[] = [];
  /** Backends that have left their pool while sessions held them; their series go when the last session has. */
  readonly #departed = new Map<string, { service: string; backend: string; index: number }>();
  readonly #transferLogs: TransferLogs;
  readonly #dataPlane: DataPlane;
  #admin: AdminServer | undefined;
  #isDraining = false;

  /** Throws DuplicateBackendError, PasswordError or TransferLogError. */
  constructor(config: Config, parts: AppParts) {
    this.#config = config;
    this.#parts = parts;
    this.#startedAt = parts.net.now();
    this.#bus = new Bus((error) => parts.log.error({ err: error }, 'an observer of events has failed'));
    this.#scoreboard = Scoreboard.create({
      services: config.services.length + routeRows,
      backends: maxBackends,
      workers: parts.threads?.plans.length ?? 1,
      reasons: dropReasons.length,
    });
    const control = {
      net: parts.net,
      scoreboard: this.#scoreboard,
      indexes: new IndexTable(this.#scoreboard),
      emit: this.#bus.emit,
      tables: new SharedTables(() => parts.net.random()),
    };
    this.#controls = config.services.map((service, index) => new ServiceControl(service, index, control));
    this.#report = new Report(this.#scoreboard, this.#controls);
    const onLogFault = (error: unknown): void =>
      parts.log.error({ err: error }, 'the xferlog cannot be written');
    this.#transferLogs = new TransferLogs(config, () => new Date(), onLogFault);
    this.#dataPlane = this.#createDataPlane();
    const build = { version: parts.version, node: process.versions.node, engine: this.#engine.name };
    this.#metrics = new Metrics(build, {
      counters: this.#report,
      passivePorts: () => this.#report.passivePorts(),
      workers: () => this.#dataPlane.workers(),
    });
  }

  /**
   * Resolves when clients are served. Rejects with DiscoveryError, SelfBackendError, TooManyBackendsError, NetError or
   * AdminError; `stop` has to be called then too.
   */
  async start(): Promise<void> {
    this.#observe();
    await Promise.all(this.#controls.map((control) => control.start(() => this.#publish())));
    this.#stopped.signal.throwIfAborted();
    await this.#dataPlane.start(this.#snapshot());
    this.#stopped.signal.throwIfAborted();
    const { listen } = this.#config.admin;
    if (listen) await this.#openAdmin(listen);
    const { name: engine, reason } = this.#engine;
    const { version, threads } = this.#parts;
    this.#parts.log.info({ version, engine, reason, workers: threads?.plans.length }, 'serving');
  }

  /** Takes no new sessions and waits for the running ones, for the configured time or until `force` aborts. */
  async drain(force: AbortSignal): Promise<DrainOutcome> {
    this.#isDraining = true;
    const { promise, resolve, reject } = Promise.withResolvers<DrainOutcome>();
    let mayBeNew = true;
    const check = (): void => {
      if (!mayBeNew && this.#activeSessions() === 0) resolve('drained');
    };
    this.#dataPlane.drain().then(() => {
      mayBeNew = false;
      check();
    }, reject);
    const onForce = (): void => resolve('forced');
    const unsubscribe = this.#bus.subscribe(check);
    const timer = this.#parts.net.setTimer(this.#config.drainTimeout, () => resolve('timed-out'));
    force.addEventListener('abort', onForce, { once: true });
    if (force.aborted) onForce();
    try {
      return await promise;
    } finally {
      unsubscribe();
      timer.cancel();
      force.removeEventListener('abort', onForce);
    }
  }

  /** Opens the logs of transfers anew, after they have been renamed. */
  reopenLogs(): void {
    this.#transferLogs.reopen();
  }

  /** Ends what still runs and gives everything back. Idempotent. */
  async stop(): Promise<void> {
    if (this.#stopped.signal.aborted) return;
    this.#stopped.abort();
    for (const control of this.#controls) control.stop();
    await this.#dataPlane.stop();
    await this.#admin?.close();
    for (const end of this.#subscriptions) end();
    this.#transferLogs.close();
  }

  /** Where the admin endpoints listen; undefined before the start and where they are turned off. */
  get admin(): Endpoint | undefined {
    return this.#admin;
  }

  /** Where the clients of a service arrive now. */
  listening(name: string): readonly Endpoint[] {
    return this.#dataPlane
      .listening()
      .filter(({ service }) => service === name)
      .map(({ endpoint }) => endpoint);
  }

  readiness(): Readiness {
    const services = this.#controls.map((control) => this.#report.readiness(control));
    const reasons = services.flatMap(({ service, reasons }) =>
      reasons.map((reason) => `${service}: ${reason}`),
    );
    if (this.#isDraining) return { ready: false, reasons: ['draining', ...reasons], services };
    if (this.#isDeserted()) return { ready: false, reasons: ['no worker serves', ...reasons], services };
    const ready = services.some((service) => service.ready);
    return { ready, reasons: ready ? [] : reasons, services };
  }

  status(): Status {
    return {
      version: this.#parts.version,
      engine: this.#engine,
      uptime: (this.#parts.net.now() - this.#startedAt) / 1_000,
      draining: this.#isDraining,
      workers: this.#dataPlane.workers(),
      services: this.#controls.map((control) =>
        this.#report.status(control, this.listening(control.config.name)),
      ),
    };
  }

  #observe(): void {
    for (const { config } of this.#controls) this.#metrics.addService(config.name, config.kind);
    // Before the others, so that a backend's series exist when something is counted for it.
    this.#subscriptions.push(
      this.#bus.subscribe((event) => this.#onEvent(event)),
      this.#bus.subscribe(this.#metrics.count),
      this.#bus.subscribe(this.#transferLogs.note),
      logEvents(this.#bus, this.#parts.log, this.#parts.net),
    );
    const { observer } = this.#parts;
    if (observer) this.#subscriptions.push(this.#bus.subscribe(observer));
  }

  get #engine(): EngineNotice {
    const { name, reason } = this.#parts.threads?.engine ?? mainThread;
    return { name, reason };
  }

  #onEvent(event: Event): void {
    if (event.kind === 'backend.suspect') {
      for (const control of this.#controls) control.suspected(event);
    }
    if (event.kind === 'worker.down') {
      for (const control of this.#controls) control.adoptEjections();
    }
    if (event.kind !== 'backend.state') return;
    const { service, backend, to } = event;
    if (to === 'added') {
      this.#departed.delete(`${service} ${backend}`);
      this.#metrics.addBackend(service, backend);
    }
    if (to === 'removed') this.#depart(service, backend);
  }

  #depart(service: string, backend: string): void {
    const control = this.#controls.find(({ config }) => config.name === service);
    const index = control?.pool.backends.find(({ name }) => name === backend)?.index;
    if (index !== undefined) this.#departed.set(`${service} ${backend}`, { service, backend, index });
  }

  #forgetDeparted(): void {
    for (const [key, { service, backend, index }] of this.#departed) {
      if (this.#scoreboard.holders(index) > 0) continue;
      this.#departed.delete(key);
      this.#metrics.forget(service, backend);
    }
  }

  #createDataPlane(): DataPlane {
    const { net, threads } = this.#parts;
    const parts = { net, scoreboard: this.#scoreboard, emit: this.#bus.emit };
    return threads ? new Supervisor({ ...parts, threads }) : new LocalDataPlane(parts);
  }

  #publish(): void {
    this.#dataPlane.update(this.#snapshot());
  }

  #snapshot(): Snapshot {
    const version = this.#scoreboard.nextSnapshot();
    return { version, services: this.#controls.map(({ spec }) => spec) };
  }

  async #openAdmin(at: ListenerSpec): Promise<void> {
    const metrics = {
      render: () => {
        this.#forgetDeparted();
        return this.#metrics.render();
      },
    };
    this.#admin = await startAdmin(at, { status: this, metrics });
    const { address, port } = this.#admin;
    if (this.#stopped.signal.aborted) await this.#admin.close();
    this.#parts.log.info({ address, port }, 'admin endpoints listen');
  }

  #isDeserted(): boolean {
    const workers = this.#dataPlane.workers();
    return workers.length > 0 && workers.every(({ state }) => state !== 'serving');
  }

  #activeSessions(): number {
    return this.#controls.reduce((sum, { index }) => sum + this.#scoreboard.activeOf(index), 0);
  }
}
