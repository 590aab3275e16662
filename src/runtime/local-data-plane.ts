import type { Engine, EngineParts } from '../engine/engine.ts';
import type { Service, Snapshot } from '../engine/snapshot.ts';
import { tryAdded } from './claims.ts';
import type { DataPlane, Listening, WorkerStatus } from './data-plane.ts';
import { PortableEngines } from './portable-engines.ts';

/** Engines without threads of their own: on any Net, virtual time included. */
export class LocalDataPlane implements DataPlane {
  readonly #parts: Omit<EngineParts, 'snapshot' | 'worker'>;
  readonly handover: undefined;
  #services: readonly Service[] = [];
  #engine: Engine | undefined;

  constructor(parts: Omit<EngineParts, 'snapshot' | 'worker'>) {
    this.#parts = parts;
  }

  async start(snapshot: Snapshot): Promise<void> {
    this.#engine = new PortableEngines({ ...this.#parts, snapshot, worker: 0 });
    this.#obey(snapshot);
    await this.#engine.start();
  }

  async prepare(services: readonly Service[]): Promise<() => void> {
    await tryAdded(this.#parts.net, this.#services, services);
    return () => undefined;
  }

  async update(snapshot: Snapshot): Promise<void> {
    const settled = this.#engine?.update(snapshot);
    this.#obey(snapshot);
    await settled;
  }

  async drain(): Promise<void> {
    this.#engine?.drain();
  }

  async stop(): Promise<void> {
    await this.#engine?.stop();
  }

  listening(): readonly Listening[] {
    return this.#engine?.listening() ?? [];
  }

  workers(): readonly WorkerStatus[] {
    return [];
  }

  #obey({ version, services }: Snapshot): void {
    this.#services = services;
    this.#parts.scoreboard.writer(0).obeys(version);
  }
}
