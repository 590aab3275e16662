import type { Backend } from '../balance/pool.ts';
import type { DatagramEngine, EngineParts } from './engine.ts';
import type { TidNet } from '../net/tids.ts';
import type { SavedService } from './saved-relay.ts';
import type { Snapshot, TftpService } from './snapshot.ts';
import { TftpServiceEngine } from './tftp-service.ts';
import { TimerWheel } from './timer-wheel.ts';

/** Serves TFTP. What its TIDs are made of is up to its net: sockets of their own on any system, shared ones on Linux. */
export class TftpEngine implements DatagramEngine {
  readonly #parts: EngineParts<TidNet>;
  readonly #wheel: TimerWheel;
  readonly #services: Map<string, TftpServiceEngine>;
  /** Services that are gone and still have sessions. */
  readonly #retired = new Set<TftpServiceEngine>();

  constructor(parts: EngineParts<TidNet>) {
    this.#parts = parts;
    this.#wheel = new TimerWheel(parts.net);
    this.#services = new Map(
      tftpServices(parts.snapshot).map((service) => [service.name, this.#engineFor(service)]),
    );
  }

  start(): void {
    try {
      for (const service of this.#services.values()) service.start();
    } catch (error) {
      this.stop();
      throw error;
    }
  }

  update(snapshot: Snapshot): void {
    const services = new Map(tftpServices(snapshot).map((service) => [service.name, service]));
    this.#retireOthers(services);
    // What one gives up another may take.
    for (const service of services.values()) this.#services.get(service.name)?.release(service);
    this.#makeRoom([...services.values()]);
    for (const service of services.values()) {
      const engine = this.#services.get(service.name) ?? this.#engineFor(service);
      this.#services.set(service.name, engine);
      engine.update(service);
    }
  }

  drain(): void {
    for (const service of this.#services.values()) service.drain();
  }

  /** All sessions, for another process. Throws TypeError if there are some of services that are gone. */
  save(): readonly SavedService[] {
    const isLeft = [...this.#retired].some((service) => !service.isOver);
    if (isLeft) throw new TypeError('transfers of a service still run that the configuration no longer has');
    return [...this.#services.values()].map((service) => service.save());
  }

  /** Goes on with sessions that another process has saved. Throws NetError if one of them cannot be had. */
  restore(services: readonly SavedService<Backend>[]): void {
    for (const saved of services) {
      const service = this.#services.get(saved.name);
      if (service) service.restore(saved);
      else if (saved.sessions.length > 0) throw new TypeError(`there is no TFTP service ${saved.name}`);
    }
  }

  leave(): void {
    for (const service of this.#all) service.leave();
  }

  stop(): void {
    for (const service of this.#all) service.stop();
  }

  listening(): ReturnType<DatagramEngine['listening']> {
    return [...this.#services.values()].flatMap((engine) =>
      engine.listeners.map(({ address, port }) => ({
        service: engine.service.name,
        endpoint: { address, port },
      })),
    );
  }

  get #all(): TftpServiceEngine[] {
    return [...this.#services.values(), ...this.#retired];
  }

  #makeRoom(services: readonly TftpService[]): void {
    for (const engine of this.#retired) engine.yieldTo(services);
    for (const [name, engine] of this.#services) {
      engine.yieldTo(services.filter((service) => service.name !== name));
    }
  }

  #engineFor(service: TftpService): TftpServiceEngine {
    return new TftpServiceEngine(this.#parts, service, this.#wheel);
  }

  /** A service in another mode, or with another row of the scoreboard, is another one. */
  #retireOthers(services: ReadonlyMap<string, TftpService>): void {
    for (const engine of this.#retired) {
      if (engine.isOver) this.#retired.delete(engine);
    }
    for (const [name, engine] of this.#services) {
      const service = services.get(name);
      const { tids, index } = engine.service;
      if (service?.tids.kind === tids.kind && service.index === index) continue;
      this.#services.delete(name);
      this.#retired.add(engine);
      engine.retire();
    }
  }
}

function tftpServices({ services }: Snapshot): TftpService[] {
  return services.filter((service) => service.kind === 'tftp');
}
