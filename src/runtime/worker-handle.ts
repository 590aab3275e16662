import type { Service } from '../engine/snapshot.ts';
import type { WorkerBoot, WorkerCommand, WorkerMessage } from './messages.ts';

/**
 * What a worker runs: `portable` has an event loop of Node and engines on its sockets, `linux` a loop of its own on
 * system calls and the TFTP engine.
 */
export type WorkerKind = 'portable' | 'linux';

/** What one worker is for. */
export interface WorkerPlan {
  readonly kind: WorkerKind;
  readonly protocols: readonly Service['kind'][];
}

/** A thread, as the supervisor has it. */
export interface WorkerHandle {
  post(command: WorkerCommand): void;
  /** Called behind each post: a thread that blocks elsewhere than in an event loop looks at its commands. */
  wake(): void;
  /** Ends the thread wherever it is, and keeps the process alive for it no longer. */
  terminate(): void;
}

export interface WorkerHandlers {
  onMessage(message: WorkerMessage): void;
  /**
   * The thread has ended and all of its sockets are closed; called once, behind all messages. `error` is what it died
   * of; undefined if it ended by itself.
   */
  onExit(error: Error | undefined): void;
}

export type SpawnWorker = (plan: WorkerPlan, boot: WorkerBoot, handlers: WorkerHandlers) => WorkerHandle;
