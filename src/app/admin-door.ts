/** One place where the admin endpoints listen; a new configuration may move it. */
import { isDeepStrictEqual } from 'node:util';

import type { Clock } from '../net/net.ts';
import { type Prepared, unchanged } from './prepared.ts';

/** Milliseconds for which the old place answers what it was asked: whoever asked for the change among others. */
const grace = 1_000;

interface Closable {
  close(): Promise<void>;
}

export interface AdminDoorParts<At, Server> {
  readonly clock: Pick<Clock, 'setTimer'>;
  /** Listens there. Rejects with AdminError. */
  readonly open: (at: At) => Promise<Server>;
  /** It is where operators come in now. */
  readonly onOpen: (server: Server) => void;
}

export class AdminDoor<At, Server extends Closable> {
  readonly #parts: AdminDoorParts<At, Server>;
  #at: At | undefined;
  #server: Server | undefined;
  /** Those that are about to be closed. */
  readonly #old = new Set<Server>();

  constructor(parts: AdminDoorParts<At, Server>) {
    this.#parts = parts;
  }

  /** Undefined while it is nowhere. */
  get server(): Server | undefined {
    return this.#server;
  }

  /** Makes sure that it can be there, or nowhere. Rejects with AdminError. */
  async prepare(at: At | undefined): Promise<Prepared> {
    if (isDeepStrictEqual(at, this.#at)) return unchanged;
    const server = at === undefined ? undefined : await this.#parts.open(at);
    return {
      adopt: () => this.#replace(at, server),
      cancel: () => void server?.close(),
    };
  }

  /** Idempotent. */
  async close(): Promise<void> {
    const all = [...this.#old, ...(this.#server ? [this.#server] : [])];
    await Promise.all(all.map((server) => server.close()));
  }

  #replace(at: At | undefined, server: Server | undefined): void {
    const { clock, onOpen } = this.#parts;
    const old = this.#server;
    this.#at = at;
    this.#server = server;
    if (server) onOpen(server);
    if (!old) return;
    this.#old.add(old);
    clock.setTimer(grace, () => {
      this.#old.delete(old);
      void old.close();
    });
  }
}
