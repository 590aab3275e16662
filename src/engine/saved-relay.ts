/**
 * The sessions of a service as plain data, for another process that goes on with them. Backends are told by their
 * places in a list that goes with the sessions, sockets by descriptors.
 */
import type { Backend, FoundBackend } from '../balance/pool.ts';
import type { Endpoint } from '../net/net.ts';
import type { MovedBackendTid, MovedTid } from '../net/tids.ts';
import type { SessionEnd } from '../observe/events.ts';
import type { SavedSession } from '../tftp/saved-session.ts';

/** `Known` is what is known of a backend: in the process that takes sessions over it has a row of the scoreboard. */
export interface SavedService<Known extends FoundBackend = FoundBackend> {
  readonly name: string;
  readonly backends: readonly Known[];
  readonly sessions: readonly SavedRelay[];
}

/** A relayed session. */
export interface SavedRelay {
  /** Where its request came in. */
  readonly listener: Endpoint;
  readonly client: Endpoint;
  /** Left out in single-port mode. */
  readonly vipTid?: MovedTid | undefined;
  /** Requests, one character a byte. */
  readonly received: string;
  readonly forwarded: string;
  /** Place of its route among those of the service, or `noRoute`. */
  readonly route: number;
  readonly openedAgo: number;
  readonly machine: SavedSession;
  readonly tries: SavedTries;
  /** The place among the legs of the one that has answered, -1 if none has. */
  readonly answered: number;
  readonly account: SavedAccount;
}

export interface SavedTries {
  /** Backends that were asked and are no longer listened to. */
  readonly given: readonly number[];
  readonly legs: readonly SavedLeg[];
  /** One character a byte. */
  readonly notFound?: string | undefined;
}

export interface SavedLeg {
  readonly backend: number;
  readonly tid: MovedBackendTid;
  readonly isSilent: boolean;
  readonly peerPort: number;
  readonly peerAddress: string;
}

export interface SavedAccount {
  /** Backends, -1 if there is none. */
  readonly countedOn: number;
  readonly last: number;
  /** The OACK, one character a byte; '' if there was none. */
  readonly granted: string;
  readonly error?: SessionEnd['error'];
  readonly isReported: boolean;
}

/** The list of backends that goes with saved sessions, while it is made. */
export class BackendPlaces {
  readonly #places = new Map<number, number>();
  readonly #backends: FoundBackend[] = [];

  get backends(): readonly FoundBackend[] {
    return this.#backends;
  }

  /** The backend's place; -1 for none. */
  of(backend: Backend | undefined): number {
    if (!backend) return -1;
    const known = this.#places.get(backend.index);
    if (known !== undefined) return known;
    const { name, address, port, weight } = backend;
    this.#places.set(backend.index, this.#backends.length);
    return this.#backends.push({ name, address, port, weight }) - 1;
  }
}

/** The backend at a place. Throws RangeError if there is none. */
export function backendAt(backends: readonly Backend[], place: number): Backend {
  const backend = backends[place];
  if (!backend) throw new RangeError(`no backend ${place} among ${backends.length}`);
  return backend;
}
