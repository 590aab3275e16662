import type { Scoreboard } from '../balance/scoreboard.ts';
import type { Endpoint, Net } from '../net/net.ts';
import type { Emit } from '../observe/events.ts';
import type { Snapshot } from './snapshot.ts';

/** All that an engine is built from. It runs alike in a worker, in the main thread and on an in-memory net. */
export interface EngineParts {
  readonly snapshot: Snapshot;
  readonly scoreboard: Scoreboard;
  /** Which of the scoreboard's writers this engine is. */
  readonly worker: number;
  readonly net: Net;
  readonly emit: Emit;
}

/** Moves the datagrams of the services in its snapshot. */
export interface DatagramEngine {
  /** Binds the listeners. Throws NetError, with nothing left open, if one of them cannot be had. */
  start(): void;
  /** Replaces the snapshot. Running sessions keep their backend. */
  update(snapshot: Snapshot): void;
  /** Refuses new requests from now on; running sessions go on. */
  drain(): void;
  /** Ends what still runs (its peers get an ERROR) and closes every socket. Idempotent. */
  stop(): void;
  /** Where clients arrive now. */
  listening(): readonly { readonly service: string; readonly endpoint: Endpoint }[];
}
