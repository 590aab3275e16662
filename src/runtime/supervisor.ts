/**
 * The data plane in threads: makes the workers, hands them what the control plane says, and starts again what has died.
 * Of a worker that is gone nothing stays behind: its sessions are counted as lost, and what it had of shared memory is
 * given back.
 */
import type { Scoreboard } from '../balance/scoreboard.ts';
import { PassivePool } from '../engine/passive-pool.ts';
import type { ListenerSpec, Service, Snapshot } from '../engine/snapshot.ts';
import type { Net } from '../net/net.ts';
import { releaseTidPorts } from '../net/node-net.ts';
import type { Emit, Event, ListenerUp } from '../observe/events.ts';
import { workersOf } from './assignment.ts';
import { claimListeners } from './claims.ts';
import type { DataPlane, Listening, WorkerStatus } from './data-plane.ts';
import { steerGroup } from './listener-group.ts';
import { ListenerTally } from './listener-tally.ts';
import { portHolderOf } from './messages.ts';
import type { Threads } from './node-threads.ts';
import { WorkerSlot } from './worker-slot.ts';

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
  readonly #tally = new ListenerTally();
  /** Where each service listens, by its name. */
  readonly #claims = new Map<string, readonly ListenerSpec[]>();
  /** The latest. */
  #snapshot: Snapshot = { version: 0, services: [] };
  /** Those that have been given a snapshot, which updates replace. */
  readonly #begun = new Set<WorkerSlot>();

  constructor(parts: SupervisorParts) {
    this.#parts = parts;
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
    this.#snapshot = snapshot;
    for (const service of snapshot.services) {
      const claimed = this.#parts.threads.lender?.claim(service);
      if (claimed) this.#claims.set(service.name, claimed);
    }
    await Promise.all(this.#slots.map((slot) => slot.launch()));
    for (const service of snapshot.services) {
      if (this.#claims.has(service.name)) continue;
      const isShared = workersOf(service, this.#parts.threads.plans).length > 1;
      this.#claims.set(service.name, await claimListeners(this.#parts.net, service, isShared));
    }
    await Promise.all(this.#slots.map((slot) => this.#start(slot)));
  }

  update(snapshot: Snapshot): void {
    this.#snapshot = snapshot;
    for (const slot of this.#begun) slot.update(this.#snapshotFor(slot));
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
    return this.#slots.map(({ status }) => status);
  }

  #start(slot: WorkerSlot): Promise<void> {
    this.#begun.add(slot);
    // From now on, not from the moment in which the worker can say so: what follows is sent behind it.
    this.#parts.scoreboard.writer(slot.index).obeys(this.#snapshot.version);
    return slot.start(this.#snapshotFor(slot));
  }

  /** The services of this worker, listening where they may. */
  #snapshotFor({ index }: WorkerSlot): Snapshot {
    const { plans } = this.#parts.threads;
    const own = this.#snapshot.services.filter((service) => workersOf(service, plans).includes(index));
    return { ...this.#snapshot, services: own.map((service) => this.#claimed(service)) };
  }

  #claimed(service: Service): Service {
    return { ...service, listeners: this.#claims.get(service.name) ?? service.listeners };
  }

  #onEvents(worker: number, events: readonly Event[]): void {
    for (const event of events) {
      if (this.#isNews(worker, event)) this.#parts.emit(event);
    }
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
  }

  /** Gives back what a worker had that is gone. Returns the sessions that it had, by service. */
  #release(worker: number): Record<string, number> {
    const { scoreboard, threads } = this.#parts;
    const { services } = this.#snapshot;
    const lost = services.map(({ name, index }) => [name, scoreboard.activeIn(worker, index)] as const);
    scoreboard.clear(worker);
    releaseTidPorts(threads.tidPorts, portHolderOf(worker));
    for (const service of services) {
      if (service.kind === 'ftp') new PassivePool(service.passivePool, worker).clear();
    }
    return Object.fromEntries(lost);
  }
}
