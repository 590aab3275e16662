/**
 * What crosses between the supervisor and its workers, beside the memory that they share; nothing else does. All of it
 * survives structured cloning.
 */
import type { Backend } from '../balance/pool.ts';
import type { SavedService } from '../engine/saved-relay.ts';
import type { Snapshot } from '../engine/snapshot.ts';
import type { LentSocket } from '../linux/net/linux-net.ts';
import type { PortShare } from '../linux/net/port-range.ts';
import { NetError, type NetErrorCode } from '../net/net.ts';
import type { TidPorts } from '../net/node-net.ts';
import type { Event } from '../observe/events.ts';

/** What a worker has from its first moment on. */
export interface WorkerBoot {
  /** Its index, and which of the scoreboard's writers it is. */
  readonly worker: number;
  /** Memory of the scoreboard. */
  readonly scoreboard: SharedArrayBuffer;
  readonly tidPorts: TidPorts;
  /** Memory of its Receipts. */
  readonly receipts: SharedArrayBuffer;
}

/** What a worker of the Linux engine has besides. */
export interface LinuxBoot {
  /** Microseconds, see LoopOptions. */
  readonly busyPoll: number;
  /** An eventfd that is written when a command has been posted. */
  readonly wakeFd: number;
  /** Where it notes the descriptors that it opens, for the supervisor to close behind it. */
  readonly ledger: SharedArrayBuffer;
  /** Its part of a `--tid-ports` range. */
  readonly share: PortShare;
  /** It serves nobody before a `thaw`, since another process still does. */
  readonly isHeld: boolean;
}

/** Down. `stop` is the last one. */
export type WorkerCommand = EngineCommand | HandoverCommand;

/** For every worker. `leave`: another process has its listeners, and the sessions that could be moved. */
export type EngineCommand = Instruction | { readonly kind: 'drain' | 'leave' | 'stop' };

/** What a takeover needs besides, of workers of the Linux engine. */
export type HandoverCommand =
  /** Touches no socket any longer, and tells what its sessions are. */
  | { readonly kind: 'freeze' }
  /** Goes on, or begins. */
  | { readonly kind: 'thaw' }
  /** Goes on with these sessions once it thaws. The sockets are its own from now on. */
  | {
      readonly kind: 'restore';
      readonly services: readonly SavedService<Backend>[];
      readonly sockets: readonly number[];
    };

export interface Instruction {
  readonly kind: 'start' | 'update';
  readonly snapshot: Snapshot;
  /**
   * The supervisor's listening sockets. Those of earlier instructions are closed when this one has been answered and no
   * worker has told that it still needs them.
   */
  readonly lent: readonly LentSocket[];
}

/** Up. Events and answers come in the order in which they were told. */
export type WorkerMessage =
  /** Loaded: it waits for `start`. */
  | { readonly kind: 'ready' }
  /** Clients are served. */
  | { readonly kind: 'started' }
  /** They cannot be; the worker ends. */
  | { readonly kind: 'failed'; readonly failure: Failure }
  /** The snapshot of this version is in force, its listeners included. */
  | { readonly kind: 'updated'; readonly version: number }
  /** No new sessions are taken any more. */
  | { readonly kind: 'draining' }
  | HandoverAnswer
  | { readonly kind: 'events'; readonly events: readonly Event[] };

export type HandoverAnswer =
  | { readonly kind: 'frozen'; readonly services: readonly SavedService[] }
  | { readonly kind: 'thawed' | 'restored' | 'left' }
  /** It cannot be done. */
  | { readonly kind: 'immovable'; readonly reason: string };

/** A NetError as plain data. */
export interface Failure {
  readonly code: NetErrorCode;
  readonly message: string;
}

export function failureOf({ code, message }: NetError): Failure {
  return { code, message };
}

export function errorOf({ code, message }: Failure): NetError {
  return new NetError(code, message);
}

/** Whom a worker's TIDs take their ports for; 1 is the control plane. */
export function portHolderOf(worker: number): number {
  return worker + 2;
}
