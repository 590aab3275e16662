import type { Scoreboard } from '../balance/scoreboard.ts';
import type { Endpoint, Net } from '../net/net.ts';
import type { Emit } from '../observe/events.ts';
import type { Snapshot } from './snapshot.ts';

/** All that an engine is built from. It runs alike in a worker, in the main thread and on an in-memory net. */
export interface EngineParts<Os = Net> {
  readonly snapshot: Snapshot;
  readonly scoreboard: Scoreboard;
  /** Which of the scoreboard's writers this engine is. */
  readonly worker: number;
  readonly net: Os;
  readonly emit: Emit;
  /** Milliseconds from the net's clock to one that all workers share; 0 if left out. */
  readonly epoch?: number;
}

/** Serves those services of its snapshot whose protocol it knows. */
export interface Engine {
  /** Opens the listeners. Fails with NetError, with nothing left open, if one of them cannot be had. */
  start(): void | Promise<void>;
  /**
   * Replaces the snapshot: services and listeners come and go with it. Running sessions keep their backend. The next
   * session obeys it; what is returned ends when new listeners are open. One that cannot be had is told and tried again.
   */
  update(snapshot: Snapshot): void | Promise<void>;
  /** Takes no new sessions from now on; what runs may end. */
  drain(): void;
  /**
   * Another process has taken over: sessions that it has are dropped without a word, and no new ones are taken. Those
   * that it cannot have go on to their end.
   */
  leave(): void;
  /** Ends what still runs, tells its peers, and closes every socket. Idempotent. */
  stop(): void | Promise<void>;
  /** Where clients arrive now. */
  listening(): readonly { readonly service: string; readonly endpoint: Endpoint }[];
}

/** Moves the datagrams of the services in its snapshot; all that it does is done when a call returns. */
export interface DatagramEngine extends Engine {
  /** Throws NetError. */
  start(): void;
  update(snapshot: Snapshot): void;
  stop(): void;
}
