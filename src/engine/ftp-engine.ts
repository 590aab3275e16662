import { FtpSession } from '../ftp/session.ts';
import type { Engine, EngineParts } from './engine.ts';
import { FtpServiceEngine } from './ftp-service.ts';
import type { CreateFtpMachine } from './ftp-session-host.ts';
import type { Snapshot } from './snapshot.ts';
import { TimerWheel } from './timer-wheel.ts';

/** Serves the FTP services of its snapshot. */
export class FtpEngine implements Engine {
  readonly #services: ReadonlyMap<string, FtpServiceEngine>;
  #stopped: Promise<void> | undefined;

  constructor(
    parts: EngineParts,
    createMachine: CreateFtpMachine = (options, effects) => new FtpSession(options, effects),
  ) {
    const wheel = new TimerWheel(parts.net);
    this.#services = new Map(
      parts.snapshot.services
        .filter((service) => service.kind === 'ftp')
        .map((service) => [service.name, new FtpServiceEngine(parts, service, wheel, createMachine)]),
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

  update(snapshot: Snapshot): void {
    for (const service of snapshot.services) {
      if (service.kind === 'ftp') this.#services.get(service.name)?.update(service);
    }
  }

  drain(): void {
    for (const service of this.#services.values()) service.drain();
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

  async #stop(): Promise<void> {
    await Promise.all([...this.#services.values()].map((service) => service.stop()));
  }
}
