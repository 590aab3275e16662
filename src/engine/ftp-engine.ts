import { FtpSession } from '../ftp/session.ts';
import type { Engine, EngineParts } from './engine.ts';
import { FtpServiceEngine } from './ftp-service.ts';
import type { CreateFtpMachine } from './ftp-session-host.ts';
import type { FtpService, Snapshot } from './snapshot.ts';
import { TimerWheel } from './timer-wheel.ts';

/** Serves the FTP services of its snapshot. */
export class FtpEngine implements Engine {
  readonly #parts: EngineParts;
  readonly #wheel: TimerWheel;
  readonly #createMachine: CreateFtpMachine;
  readonly #services: Map<string, FtpServiceEngine>;
  /** Services that are gone and still have sessions. */
  readonly #retired = new Set<FtpServiceEngine>();
  #stopped: Promise<void> | undefined;

  constructor(
    parts: EngineParts,
    createMachine: CreateFtpMachine = (options, effects) => new FtpSession(options, effects),
  ) {
    this.#parts = parts;
    this.#wheel = new TimerWheel(parts.net);
    this.#createMachine = createMachine;
    this.#services = new Map(
      ftpServices(parts.snapshot).map((service) => [service.name, this.#engineFor(service)]),
    );
  }

  async start(): Promise<void> {
    try {
      for (const service of this.#services.values()) await service.start();
    } catch (error) {
      await this.stop();
      throw error;
    }
  }

  async update(snapshot: Snapshot): Promise<void> {
    const services = new Map(ftpServices(snapshot).map((service) => [service.name, service]));
    this.#retireOthers(services);
    // What one gives up another may take.
    for (const service of services.values()) this.#services.get(service.name)?.release(service);
    const updates = [...services.values()].map((service) => {
      const engine = this.#services.get(service.name) ?? this.#engineFor(service);
      this.#services.set(service.name, engine);
      return engine.update(service);
    });
    await Promise.all(updates);
  }

  drain(): void {
    for (const service of this.#all) service.drain();
  }

  /** Sessions cannot be moved: all go on. */
  leave(): void {
    for (const service of this.#services.values()) service.leave();
  }

  /** Resolves when clients have read their last reply, or have had the time for it. */
  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  listening(): ReturnType<Engine['listening']> {
    return [...this.#services.values()].flatMap((engine) =>
      engine.endpoints.map((endpoint) => ({ service: engine.service.name, endpoint })),
    );
  }

  get #all(): FtpServiceEngine[] {
    return [...this.#services.values(), ...this.#retired];
  }

  #engineFor(service: FtpService): FtpServiceEngine {
    return new FtpServiceEngine(this.#parts, service, this.#wheel, this.#createMachine);
  }

  /** A service with another row of the scoreboard is another one. */
  #retireOthers(services: ReadonlyMap<string, FtpService>): void {
    for (const engine of this.#retired) {
      if (!engine.hasSessions) this.#retired.delete(engine);
    }
    for (const [name, engine] of this.#services) {
      if (services.get(name)?.index === engine.service.index) continue;
      this.#services.delete(name);
      this.#retired.add(engine);
      engine.retire();
    }
  }

  async #stop(): Promise<void> {
    await Promise.all(this.#all.map((service) => service.stop()));
  }
}

function ftpServices({ services }: Snapshot): FtpService[] {
  return services.filter((service) => service.kind === 'ftp');
}
