import type { Engine, EngineParts } from '../engine/engine.ts';
import { FtpEngine } from '../engine/ftp-engine.ts';
import type { Snapshot } from '../engine/snapshot.ts';
import { TftpEngine } from '../engine/tftp-engine.ts';
import { withOwnTids } from '../net/own-tids.ts';

/** The engines that need nothing but the Net interface, as one that serves every service of its snapshot. */
export class PortableEngines implements Engine {
  readonly #engines: readonly Engine[];

  constructor(parts: EngineParts) {
    this.#engines = [new TftpEngine({ ...parts, net: withOwnTids(parts.net) }), new FtpEngine(parts)];
  }

  async start(): Promise<void> {
    try {
      for (const engine of this.#engines) await engine.start();
    } catch (error) {
      await this.stop();
      throw error;
    }
  }

  async update(snapshot: Snapshot): Promise<void> {
    await Promise.all(this.#engines.map(async (engine) => engine.update(snapshot)));
  }

  drain(): void {
    for (const engine of this.#engines) engine.drain();
  }

  leave(): void {
    for (const engine of this.#engines) engine.leave();
  }

  async stop(): Promise<void> {
    for (const engine of this.#engines) await engine.stop();
  }

  listening(): ReturnType<Engine['listening']> {
    return this.#engines.flatMap((engine) => engine.listening());
  }
}
