/**
 * The data plane in threads: makes the workers, hands them what the control plane says, and starts again what has died.
 * Of a worker that is gone nothing stays behind: its sessions are counted as lost, and what it had of shared memory is
 * given back.
 */
import type { Scoreboard } from '../balance/scoreboard.ts';
import { PassivePool } from '../engine/passive-pool.ts';
import type { Service, Snapshot } from '../engine/snapshot.ts';
import type { Net } from '../net/net.ts';
import { releaseTidPorts } from '../net/node-net.ts';
import type { Emit, Event, ListenerUp } from '../observe/events.ts';
import { workersOf } from './assignment.ts';
import { Claims } from './claims.ts';
import type { DataPlane, DataPlaneHandover, Listening, WorkerStatus } from './data-plane.ts';
import { steerGroup } from './listener-group.ts';
import { ListenerTally } from './listener-tally.ts';
import { portHolderOf } from './messages.ts';
import type { Threads, ThreadsHandover } from './node-threads.ts';
import { SupervisorHandover } from './supervisor-handover.ts';
import { TakeoverError } from './takeover-error.ts';
import { type Orders, WorkerSlot } from './worker-slot.ts';

export interface SupervisorParts {
  /** The control plane's own. */
  readonly net: Net;
  readonly scoreboard: Scoreboard;
  readonly emit: Emit;
  readonly threads: Threads;
}

export class Supervisor implements DataPlane {
  readonly #parts: SupervisorParts;
  readonly #slots: readonly WorkerSlot[];
  readonly handover: DataPlaneHandover | undefined;
  readonly #tally = new ListenerTally();
  readonly #claims: Claims;
  /** The latest. */
  #snapshot: Snapshot = { version: 0, services: [] };
  /** By row of the scoreboard: services that have sessions, perhaps though they are gone. */
  readonly #rows = new Map<number, Service>();
  /** Those that have a thread, or had one that served: the others are for protocols of which there was no service yet. */
  readonly #launched = new Set<WorkerSlot>();
  /** Those that were made for services that are about to come. */
  readonly #fresh = new Set<WorkerSlot>();
  /** Those that have been given a snapshot, which updates replace. */
  readonly #begun = new Set<WorkerSlot>();

  constructor(parts: SupervisorParts) {
    this.#parts = parts;
    const { plans, lender } = parts.threads;
    const isShared = (kind: Service['kind']): boolean =>
      plans.filter(({ protocols }) => protocols.includes(kind)).length > 1;
    this.#claims = new Claims({ net: parts.net, lender, isShared });
    this.handover = parts.threads.handover && this.#handoverOf(parts.threads.handover);
    this.#slots = parts.threads.plans.map((plan, index) => {
      const { scoreboard, threads } = parts;
      const boot = { worker: index, scoreboard: scoreboard.buffer, tidPorts: threads.tidPorts };
      return new WorkerSlot({
        index,
        kind: plan.kind,
        clock: parts.net,
        spawn: (receipts, handlers) => threads.spawn(plan, { ...boot, receipts }, handlers),
        start: (slot) => this.#start(slot),
        onEvents: (events) => this.#onEvents(index, events),
        onUp: ({ status }) => parts.emit({ kind: 'worker.up', worker: index, restarts: status.restarts }),
        onDown: (slot, error, retry) => this.#onDown(slot, error, retry),
      });
    });
  }

  async start(snapshot: Snapshot): Promise<void> {
    this.#take(snapshot);
    const slots = this.#neededFor(snapshot.services);
    await Promise.all(slots.map((slot) => this.#launch(slot)));
    await this.#claims.claim(snapshot.services, false);
    const untaken = this.#parts.threads.handover?.untaken();
    if (untaken && untaken.length > 0) {
      throw new TakeoverError(
        `the running process listens where this one is not told to: ${untaken.join(', ')}`,
      );
    }
    // Nobody else takes the connections that wait, so the other process goes on with those until it has given up.
    const held = untaken ? slots.filter(({ status }) => status.kind === 'linux') : slots;
    await Promise.all(held.map((slot) => this.#start(slot)));
  }

  async prepare(services: readonly Service[]): Promise<() => void> {
    const undo = await this.#claims.claim(services, true);
    const added = this.#neededFor(services).filter((slot) => !this.#launched.has(slot));
    try {
      await Promise.all(added.map((slot) => this.#launch(slot)));
      for (const slot of added) this.#fresh.add(slot);
      return () => {
        undo();
        this.#sweep();
      };
    } catch (error) {
      undo();
      throw error;
    }
  }

  async update(snapshot: Snapshot): Promise<void> {
    const { services: before } = this.#snapshot;
    this.#take(snapshot);
    const begun = [...this.#begun];
    const fresh = this.#neededFor(snapshot.services).filter((slot) => this.#fresh.delete(slot));
    await Promise.all([
      ...begun.map((slot) => slot.update(this.#ordersFor(slot))),
      ...fresh.map((slot) => this.#startLate(slot)),
    ]);
    this.#claims.leave(before, this.#snapshot.services);
    this.#sweep();
  }

  async drain(): Promise<void> {
    await Promise.all(this.#slots.map((slot) => slot.drain()));
  }

  async stop(): Promise<void> {
    await Promise.all(this.#slots.map((slot) => slot.stop()));
    this.#parts.threads.lender?.close();
  }

  listening(): readonly Listening[] {
    return this.#tally.listening();
  }

  workers(): readonly WorkerStatus[] {
    return this.#slots
      .filter((slot) => this.#launched.has(slot) && !this.#fresh.has(slot))
      .map(({ status }) => status);
  }

  #handoverOf(threads: ThreadsHandover): DataPlaneHandover {
    return new SupervisorHandover({
      threads,
      slots: () => this.#slots.filter((slot) => this.#begun.has(slot)),
      ftpListeners: () => {
        const ftp = this.#snapshot.services.filter(({ kind }) => kind === 'ftp').map(({ name }) => name);
        return this.listening().filter(({ service }) => ftp.includes(service));
      },
      startOthers: async () => {
        const others = this.#neededFor(this.#snapshot.services).filter((slot) => !this.#begun.has(slot));
        await Promise.all(others.map((slot) => this.#start(slot)));
      },
      closeListeners: () => this.#parts.threads.lender?.close(),
    });
  }

  #take(snapshot: Snapshot): void {
    this.#snapshot = snapshot;
    for (const service of snapshot.services) this.#rows.set(service.index, service);
  }

  /** The workers that serve any of these services. */
  #neededFor(services: readonly Service[]): WorkerSlot[] {
    const { plans } = this.#parts.threads;
    const needed = new Set(services.flatMap((service) => workersOf(service, plans)));
    return this.#slots.filter(({ index }) => needed.has(index));
  }

  async #launch(slot: WorkerSlot): Promise<void> {
    this.#launched.add(slot);
    try {
      await slot.launch();
    } catch (error) {
      this.#launched.delete(slot);
      throw error;
    }
  }

  #start(slot: WorkerSlot): Promise<void> {
    this.#begun.add(slot);
    // From now on, not from the moment in which the worker can say so: what follows is sent behind it.
    this.#parts.scoreboard.writer(slot.index).obeys(this.#snapshot.version);
    return slot.start(this.#ordersFor(slot));
  }

  /** The services of this worker, listening where they may. */
  #ordersFor({ index }: WorkerSlot): Orders {
    const { plans, lender } = this.#parts.threads;
    const own = this.#snapshot.services.filter((service) => workersOf(service, plans).includes(index));
    const services = own.map((service) => this.#claimed(service));
    return { snapshot: { ...this.#snapshot, services }, lent: lender?.lentTo(index) ?? [] };
  }

  #claimed(service: Service): Service {
    return { ...service, listeners: this.#claims.of(service) };
  }

  /** A worker whose first services have come while the others served. */
  async #startLate(slot: WorkerSlot): Promise<void> {
    try {
      await this.#start(slot);
    } catch (error) {
      this.#onDown(slot, error instanceof Error ? error : new Error(String(error)), undefined);
    }
  }

  /** Listeners that nobody wants are given back when the last worker has closed them. */
  #sweep(): void {
    this.#claims.sweep((service, spec) => this.#tally.isUp(service, spec));
  }

  #onEvents(worker: number, events: readonly Event[]): void {
    for (const event of events) {
      if (this.#isNews(worker, event)) this.#parts.emit(event);
    }
    if (events.some(({ kind }) => kind === 'listener.down')) this.#sweep();
  }

  #isNews(worker: number, event: Event): boolean {
    if (event.kind === 'listener.up') return this.#onListenerUp(worker, event);
    return event.kind !== 'listener.down' || this.#tally.down(worker, event);
  }

  #onListenerUp(worker: number, event: ListenerUp): boolean {
    const { endpoint, size } = this.#tally.up(worker, event);
    const { plans, steer } = this.#parts.threads;
    const service = this.#snapshot.services.find(({ name }) => name === event.service);
    if (steer && service && size > 1 && size === workersOf(service, plans).length) {
      steerGroup(steer, { protocol: service.kind === 'tftp' ? 'udp' : 'tcp', endpoint, size });
    }
    return size === 1;
  }

  #onDown(slot: WorkerSlot, error: Error, retry: number | undefined): void {
    const { index: worker } = slot;
    const { emit } = this.#parts;
    this.#begun.delete(slot);
    const lost = this.#release(worker);
    const { name, message, stack = '' } = error;
    emit({ kind: 'worker.down', worker, error: `${name}: ${message}`, stack, lost, retry });
    for (const event of this.#tally.lose(worker, 'its worker has died')) emit(event);
    this.#sweep();
  }

  /** Gives back what a worker had that is gone. Returns the sessions that it had, by service. */
  #release(worker: number): Record<string, number> {
    const { scoreboard, threads } = this.#parts;
    const lost: Record<string, number> = {};
    for (const [index, service] of this.#rows) {
      const { name } = service;
      lost[name] = (lost[name] ?? 0) + scoreboard.activeIn(worker, index);
      if (service.kind === 'ftp') new PassivePool(service.passivePool, worker).clear();
    }
    scoreboard.clear(worker);
    releaseTidPorts(threads.tidPorts, portHolderOf(worker));
    return lost;
  }
}
