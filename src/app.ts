/** The composition root: builds the balancer out of a Config, runs it, drains it, stops it. */
import { Scoreboard } from './balance/scoreboard.ts';
import type { Config } from './config/config.ts';
import { ConfigError, faultText } from './config/fault.ts';
import type { Snapshot } from './engine/snapshot.ts';
import { AdminDoors } from './app/admin-doors.ts';
import { Departure, type DrainOutcome } from './app/departure.ts';
import { Desk } from './app/desk.ts';
import { HandingOver } from './app/handing-over.ts';
import { type Prepared, prepareAll } from './app/prepared.ts';
import { planReload, type ReloadPlan } from './app/reload-plan.ts';
import { Report } from './app/report.ts';
import { Series } from './app/series.ts';
import { specOf } from './app/service-spec.ts';
import { maxServices, Services } from './app/services.ts';
import { SharedTables } from './app/shared-tables.ts';
import { takeOver } from './app/taking-over.ts';
import { routeRows } from './app/traffic.ts';
import { TransferLogs } from './app/transfer-log.ts';
import type { Endpoint, Net } from './net/net.ts';
import { createNodeTls } from './net/node-tls.ts';
import { Bus, type Subscriber } from './observe/bus.ts';
import { dropReasons, type Event } from './observe/events.ts';
import { logEvents } from './observe/log-events.ts';
import type { Logger } from './observe/log.ts';
import { Metrics } from './observe/metrics.ts';
import type { ReloadOutcome } from './observe/operator.ts';
import type { Readiness, Status, StatusSource } from './observe/status.ts';
import type { EngineNotice } from './runtime/engine-choice.ts';
import type { DataPlane } from './runtime/data-plane.ts';
import { LocalDataPlane } from './runtime/local-data-plane.ts';
import type { Threads } from './runtime/node-threads.ts';
import { Supervisor } from './runtime/supervisor.ts';
import type { TakeoverTaker } from './runtime/takeover-taker.ts';

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
  /** Reads the configuration anew. Throws ConfigError. What it was at the start if left out. */
  readonly load?: () => Config;
  /** Where the admin socket is unless the configuration says so. */
  readonly adminSocket?: string | undefined;
  /** The other end of a process that serves until now, if there is one. */
  readonly taker?: TakeoverTaker | undefined;
}

export class App implements StatusSource {
  #config: Config;
  readonly #parts: AppParts;
  readonly #bus: Bus;
  readonly #scoreboard: Scoreboard;
  readonly #services: Services;
  readonly #report: Report;
  readonly #metrics: Metrics;
  readonly #series: Series;
  readonly #startedAt: number;
  readonly #stopped = new AbortController();
  /** What ends with the app. */
  readonly #subscriptions: (() => void)[] = [];
  readonly #transferLogs: TransferLogs;
  readonly #dataPlane: DataPlane;
  readonly #admin: AdminDoors;
  readonly #handingOver: HandingOver;
  readonly #departure: Departure;
  #isDraining = false;
  /** Ends with the last reload that was asked for. */
  #reloads: Promise<unknown> = Promise.resolve();

  /** Throws PasswordError, ProbeCommandError or TransferLogError. */
  constructor(config: Config, parts: AppParts) {
    this.#config = config;
    this.#parts = parts;
    this.#startedAt = parts.net.now();
    this.#bus = new Bus((error) => parts.log.error({ err: error }, 'an observer of events has failed'));
    this.#scoreboard = Scoreboard.create({
      services: maxServices + routeRows,
      backends: maxBackends,
      workers: parts.threads?.plans.length ?? 1,
      reasons: dropReasons.length,
    });
    this.#services = new Services(config.services, {
      net: parts.net,
      scoreboard: this.#scoreboard,
      emit: this.#bus.emit,
      tables: new SharedTables(() => parts.net.random()),
      onChange: () => void this.#publish(),
    });
    this.#report = new Report(this.#scoreboard, this.#services);
    const onLogFault = (error: unknown): void =>
      parts.log.error({ err: error }, 'the xferlog cannot be written');
    this.#transferLogs = new TransferLogs(config.services, () => new Date(), onLogFault);
    this.#dataPlane = this.#createDataPlane();
    const build = { version: parts.version, node: process.versions.node, engine: this.#engine.name };
    this.#metrics = new Metrics(build, {
      counters: this.#report,
      passivePorts: () => this.#report.passivePorts(),
      workers: () => this.#dataPlane.workers(),
    });
    this.#series = new Series(this.#metrics, this.#scoreboard, this.#services);
    const { net: clock } = parts;
    const activeSessions = (): number => this.#services.activeSessions;
    this.#departure = new Departure({ clock, bus: this.#bus, dataPlane: this.#dataPlane, activeSessions });
    this.#handingOver = this.#createHandingOver();
    this.#admin = this.#createDoors();
  }

  /**
   * Resolves when clients are served. Rejects with DiscoveryError, SelfBackendError, TooManyBackendsError, UserMapFileError,
   * NetError, AdminError or AdminTokenError; `stop` has to be called then too.
   */
  start(): Promise<void> {
    const started = this.#start().catch(async (error: unknown) => {
      await this.#parts.taker?.refuse(error instanceof Error ? error.message : String(error));
      throw error;
    });
    // A reload that is asked for meanwhile waits.
    this.#reloads = started.catch(() => undefined);
    return started;
  }

  /**
   * Reads the configuration and puts it into force, without ending a session. What is wrong with it is logged, and then
   * nothing has changed. One reload follows the other. `by` is who asked for it, where somebody did.
   */
  reload(by?: string): Promise<ReloadOutcome> {
    const reloaded = this.#reloads.then(() => this.#reload(by));
    this.#reloads = reloaded;
    return reloaded;
  }

  /** Resolves when another process has taken over all that it can have. */
  handedOver(): Promise<void> {
    return this.#handingOver.given;
  }

  /** Resolves when no session is left here, or when `signal` aborts. */
  finished(signal: AbortSignal): Promise<void> {
    return this.#departure.finished(signal);
  }

  /** Takes no new sessions and waits for the running ones, for the configured time or until `force` aborts. */
  drain(force: AbortSignal): Promise<DrainOutcome> {
    this.#isDraining = true;
    return this.#departure.drain(this.#config.drainTimeout, force);
  }

  /** Opens the logs of transfers anew, after they have been renamed. */
  reopenLogs(): void {
    this.#transferLogs.reopen();
  }

  /** Ends what still runs and gives everything back. Idempotent. */
  async stop(): Promise<void> {
    if (this.#stopped.signal.aborted) return;
    this.#stopped.abort();
    this.#services.stop();
    await this.#dataPlane.stop();
    await this.#admin.close();
    for (const end of this.#subscriptions) end();
    this.#transferLogs.close();
  }

  /** Where the admin endpoints listen; undefined before the start and where they are turned off. */
  get admin(): Endpoint | undefined {
    return this.#admin.tcp;
  }

  /** Where the clients of a service arrive now. */
  listening(name: string): readonly Endpoint[] {
    return this.#dataPlane
      .listening()
      .filter(({ service }) => service === name)
      .map(({ endpoint }) => endpoint);
  }

  readiness(): Readiness {
    const services = this.#services.controls.map((control) => this.#report.readiness(control));
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
      services: this.#services.controls.map((control) =>
        this.#report.status(control, this.listening(control.config.name)),
      ),
    };
  }

  async #start(): Promise<void> {
    this.#observe();
    await this.#services.start();
    this.#stopped.signal.throwIfAborted();
    await this.#dataPlane.start(this.#snapshot());
    this.#stopped.signal.throwIfAborted();
    await this.#takeOver();
    await this.#openAdmin();
    this.#metrics.config.taken(new Date());
    const { name: engine, reason } = this.#engine;
    const { version, threads, log } = this.#parts;
    const workers = threads && this.#dataPlane.workers().length;
    log.info({ version, engine, reason, workers }, 'serving');
  }

  async #takeOver(): Promise<void> {
    const { taker, net: clock, log } = this.#parts;
    if (!taker) return;
    const { takeovers: metrics } = this.#metrics;
    const { handover } = this.#dataPlane;
    const { workers } = this.#config;
    await takeOver({ taker, clock, log, metrics, services: this.#services, handover, workers });
  }

  async #openAdmin(): Promise<void> {
    try {
      const admin = await this.#admin.prepare(this.#config.admin);
      admin.adopt();
    } catch (error) {
      // Transfers that were taken over matter more, and there is nobody left to give them back to.
      if (!this.#parts.taker) throw error;
      this.#parts.log.error({ err: error }, 'the admin endpoints cannot be had');
    }
    if (this.#stopped.signal.aborted) await this.#admin.close();
  }

  #observe(): void {
    for (const { config } of this.#services.controls) this.#metrics.addService(config.name, config.kind);
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
    this.#services.observe(event);
    if (event.kind === 'backend.state') this.#series.onState(event);
  }

  /** Never rejects. */
  async #reload(by: string | undefined): Promise<ReloadOutcome> {
    try {
      const config = this.#parts.load?.() ?? this.#config;
      const plan = planReload(this.#config, config);
      const refusals = [...plan.refusals, ...(this.#isEnding ? ['the balancer is about to end'] : [])];
      if (refusals.length > 0) return this.#refuse(refusals, by);
      const prepared = await this.#prepare(config, plan);
      if (this.#isEnding) {
        prepared.cancel();
        return this.#refuse(['the balancer is about to end'], by);
      }
      await this.#adopt(config, plan, prepared, by);
      return { kind: 'applied', changes: plan.changes };
    } catch (error) {
      return this.#refuse(faultsIn(error), by);
    }
  }

  get #isEnding(): boolean {
    return this.#isDraining || this.#stopped.signal.aborted;
  }

  #refuse(faults: readonly string[], by: string | undefined): ReloadOutcome {
    this.#metrics.config.refused();
    this.#parts.log.error(
      { event: 'config.refused', faults, by },
      'configuration refused, the old one stays',
    );
    return { kind: 'refused', faults };
  }

  /** Rejects with what keeps the configuration from being in force; nothing has changed then. */
  #prepare(config: Config, plan: ReloadPlan): Promise<Prepared> {
    return prepareAll([
      () => this.#services.prepare(plan, config.services),
      () => this.#transferLogs.prepare(config.services),
      () => this.#admin.prepare(config.admin),
      () => this.#prepareListeners(config),
    ]);
  }

  async #prepareListeners({ services }: Config): Promise<Prepared> {
    const none = {
      index: -1,
      userMap: undefined,
      certificates: undefined,
      pool: { backends: [] },
      passivePool: new SharedArrayBuffer(0),
      traffic: {},
    };
    const undo = await this.#dataPlane.prepare(services.map((service) => specOf(service, none)));
    return { adopt: () => undefined, cancel: undo };
  }

  async #adopt(config: Config, plan: ReloadPlan, prepared: Prepared, by: string | undefined): Promise<void> {
    const { log } = this.#parts;
    for (const { name, kind } of plan.added) this.#metrics.addService(name, kind);
    prepared.adopt();
    this.#config = config;
    log.level = config.log.level;
    await this.#publish();
    this.#forgetGone();
    this.#metrics.config.taken(new Date());
    log.info({ event: 'config.applied', changes: plan.changes, by }, 'configuration reloaded');
  }

  #render(): ReturnType<Metrics['render']> {
    this.#forgetGone();
    return this.#metrics.render();
  }

  #forgetGone(): void {
    for (const { name } of this.#series.forgetGone()) this.#transferLogs.forget(name);
  }

  #createDoors(): AdminDoors {
    const { log, net, adminSocket } = this.#parts;
    const reload = (by: string): Promise<ReloadOutcome> => this.reload(by);
    const handOver = this.#handingOver.ask.bind(this.#handingOver);
    const operator = new Desk({ services: this.#services, report: this.#report, reload, handOver });
    const sources = { status: this, metrics: { render: () => this.#render() }, operator };
    return new AdminDoors({ sources, log, clock: net, defaultSocket: adminSocket });
  }

  #createHandingOver(): HandingOver {
    const { net: clock, log, version } = this.#parts;
    return new HandingOver({
      clock,
      log,
      version,
      metrics: this.#metrics.takeovers,
      services: this.#services,
      handover: this.#dataPlane.handover,
      obstacle: () => (this.#isEnding ? 'the balancer is about to end' : undefined),
      inTurn: (act) => {
        this.#reloads = this.#reloads.then(act);
      },
      onGiven: async () => {
        this.#isDraining = true;
        await this.#admin.close();
      },
    });
  }

  #createDataPlane(): DataPlane {
    const { net, threads } = this.#parts;
    const parts = { net, scoreboard: this.#scoreboard, emit: this.#bus.emit };
    return threads
      ? new Supervisor({ ...parts, threads })
      : new LocalDataPlane({ ...parts, tls: createNodeTls(net) });
  }

  #publish(): Promise<void> {
    return this.#dataPlane.update(this.#snapshot());
  }

  #snapshot(): Snapshot {
    return { version: this.#scoreboard.nextSnapshot(), services: this.#services.specs };
  }

  #isDeserted(): boolean {
    const workers = this.#dataPlane.workers();
    return workers.length > 0 && workers.every(({ state }) => state !== 'serving');
  }
}

/** What is wrong, in one line each. */
function faultsIn(error: unknown): string[] {
  if (error instanceof ConfigError) return error.faults.map(faultText);
  return [error instanceof Error ? error.message : String(error)];
}
