/** The worker's side of the border: obeys commands, and tells of events and of how it went. */
import { Scoreboard } from '../balance/scoreboard.ts';
import type { Engine, EngineParts } from '../engine/engine.ts';
import type { Snapshot } from '../engine/snapshot.ts';
import { NetError } from '../net/net.ts';
import { EventBatch } from './event-batch.ts';
import { failureOf, type WorkerBoot, type EngineCommand, type WorkerMessage } from './messages.ts';
import { Receipts } from './receipts.ts';

export interface EngineWorkerParts {
  readonly boot: WorkerBoot;
  readonly createEngine: (parts: Omit<EngineParts, 'net'>) => Engine;
  readonly post: (message: WorkerMessage) => void;
  /** Calls back once, within a few milliseconds: then events leave. */
  readonly later: (callback: () => void) => void;
  /** Nothing more will be posted, and the thread may end. */
  readonly end: () => void;
}

export class EngineWorker {
  readonly #parts: EngineWorkerParts;
  readonly #scoreboard: Scoreboard;
  readonly #batch: EventBatch;
  #engine: Engine | undefined;

  constructor(parts: EngineWorkerParts) {
    this.#parts = parts;
    this.#scoreboard = Scoreboard.attach(parts.boot.scoreboard);
    this.#batch = new EventBatch({
      post: (events) => parts.post({ kind: 'events', events }),
      later: parts.later,
      receipts: new Receipts(parts.boot.receipts),
    });
    parts.post({ kind: 'ready' });
  }

  /** Rejects with what the thread has to die of. */
  async obey(command: EngineCommand): Promise<void> {
    switch (command.kind) {
      case 'start':
        return this.#start(command.snapshot);
      case 'update':
        return this.#update(command.snapshot);
      case 'drain':
        return this.#drain();
      case 'leave':
        return this.#leave();
      case 'stop':
        return this.#stop();
    }
  }

  /** Posts the events that wait, for a thread that is about to die. */
  flush(): void {
    this.#batch.flush();
  }

  async #start(snapshot: Snapshot): Promise<void> {
    const { boot, createEngine } = this.#parts;
    const { emit } = this.#batch;
    this.#engine = createEngine({ snapshot, scoreboard: this.#scoreboard, worker: boot.worker, emit });
    try {
      await this.#engine.start();
      this.answer({ kind: 'started' });
    } catch (error) {
      if (!(error instanceof NetError)) throw error;
      this.answer({ kind: 'failed', failure: failureOf(error) });
      this.#parts.end();
    }
  }

  async #update(snapshot: Snapshot): Promise<void> {
    const settled = this.#engine?.update(snapshot);
    this.#scoreboard.writer(this.#parts.boot.worker).obeys(snapshot.version);
    await settled;
    this.answer({ kind: 'updated', version: snapshot.version });
  }

  #drain(): void {
    this.#engine?.drain();
    this.answer({ kind: 'draining' });
  }

  #leave(): void {
    this.#engine?.leave();
    this.answer({ kind: 'left' });
  }

  async #stop(): Promise<void> {
    await this.#engine?.stop();
    this.#batch.flush();
    this.#parts.end();
  }

  /** Posts it behind all events. */
  answer(message: WorkerMessage): void {
    this.#batch.flush();
    this.#parts.post(message);
  }
}
