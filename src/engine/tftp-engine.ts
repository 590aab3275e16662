import type { DatagramEngine, EngineParts } from './engine.ts';
import type { TidNet } from '../net/tids.ts';
import type { Snapshot } from './snapshot.ts';
import { TftpServiceEngine } from './tftp-service.ts';
import { TimerWheel } from './timer-wheel.ts';

/** Serves TFTP. What its TIDs are made of is up to its net: sockets of their own on any system, shared ones on Linux. */
export class TftpEngine implements DatagramEngine {
  readonly #wheel: TimerWheel;
  readonly #services: Map<string, TftpServiceEngine>;

  constructor(parts: EngineParts<TidNet>) {
    this.#wheel = new TimerWheel(parts.net);
    this.#services = new Map(
      parts.snapshot.services
        .filter((service) => service.kind === 'tftp')
        .map((service) => [service.name, new TftpServiceEngine(parts, service, this.#wheel)]),
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
    for (const service of snapshot.services) {
      if (service.kind === 'tftp') this.#services.get(service.name)?.update(service);
    }
  }

  drain(): void {
    for (const service of this.#services.values()) service.drain();
  }

  stop(): void {
    for (const service of this.#services.values()) service.stop();
  }

  listening(): ReturnType<DatagramEngine['listening']> {
    return [...this.#services.values()].flatMap((engine) =>
      engine.listeners.map(({ address, port }) => ({
        service: engine.service.name,
        endpoint: { address, port },
      })),
    );
  }
}
