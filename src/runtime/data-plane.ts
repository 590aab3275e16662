import type { Backend } from '../balance/pool.ts';
import type { SavedService } from '../engine/saved-relay.ts';
import type { Libc } from '../linux/libc.ts';
import type { GiverThreads } from './takeover-giver.ts';
import type { Endpoint } from '../net/net.ts';
import type { Service, Snapshot } from '../engine/snapshot.ts';
import type { WorkerKind } from './worker-handle.ts';

/**
 *   starting   its thread is made, or its listeners are being opened
 *   serving    clients are served
 *   waiting    it has died and is about to be started again
 *   draining   no new sessions are taken
 *   stopped    it is gone for good
 */
export type WorkerState = 'starting' | 'serving' | 'waiting' | 'draining' | 'stopped';

export interface WorkerStatus {
  readonly index: number;
  readonly kind: WorkerKind;
  readonly state: WorkerState;
  /** Times that it was started anew. */
  readonly restarts: number;
}

/** An address where the clients of a service arrive. */
export interface Listening {
  readonly service: string;
  readonly endpoint: Endpoint;
}

/** What a takeover needs of a data plane, at either end of it. */
export interface DataPlaneHandover extends GiverThreads {
  readonly libc: Libc;
  /** Goes on with the sessions of a worker, whose sockets are its own from now on, once it serves. Rejects if it cannot. */
  restore(
    worker: number,
    services: readonly SavedService<Backend>[],
    sockets: readonly number[],
  ): Promise<void>;
  /** The other process has stopped: clients are served here. */
  serve(): Promise<void>;
  /** The other process serves: what it has is dropped without a word, and no new sessions are taken. */
  leave(): Promise<void>;
}

/** The engines of all services, wherever they run, as the control plane sees them. */
export interface DataPlane {
  /**
   * Resolves when clients are served. Rejects with NetError if a listener cannot be had; `stop` has to be called then
   * too.
   */
  start(snapshot: Snapshot): Promise<void>;
  /**
   * Makes sure that the listeners of these services, which are about to be those of the snapshot, can be had. Rejects
   * with NetError, or with what a thread died of, and nothing has changed then. Returns what takes it back.
   */
  prepare(services: readonly Service[]): Promise<() => void>;
  /**
   * Replaces the snapshot: services and listeners come and go with it. Running sessions keep their backend. New ones
   * obey it at once; resolves when listeners are as it has them.
   */
  update(snapshot: Snapshot): Promise<void>;
  /** Resolves when no new session is taken anywhere; what runs may end. */
  drain(): Promise<void>;
  /** Ends what still runs and gives everything back. */
  stop(): Promise<void>;
  /** Undefined where there is no way to hand sockets over, as the engine has none of the system's own. */
  readonly handover: DataPlaneHandover | undefined;
  /** Where clients arrive now. */
  listening(): readonly Listening[];
  /** Those that have been started; empty where engines have no threads of their own. */
  workers(): readonly WorkerStatus[];
}
