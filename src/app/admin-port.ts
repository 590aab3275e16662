/** The admin endpoints, wherever they listen now. */
import { isDeepStrictEqual } from 'node:util';

import type { ListenerSpec } from '../engine/snapshot.ts';
import type { Clock } from '../net/net.ts';
import { type AdminServer, type AdminSources, startAdmin } from '../observe/admin.ts';
import type { Logger } from '../observe/log.ts';
import { type Prepared, unchanged } from './prepared.ts';

/** Milliseconds for which the old place answers what it was asked: whoever asked for the change among others. */
const grace = 1_000;

export interface AdminPortParts {
  readonly sources: AdminSources;
  readonly log: Logger;
  readonly clock: Pick<Clock, 'setTimer'>;
}

export class AdminPort {
  readonly #parts: AdminPortParts;
  #at: ListenerSpec | undefined;
  #server: AdminServer | undefined;
  /** Those that are about to be closed. */
  readonly #old = new Set<AdminServer>();

  constructor(parts: AdminPortParts) {
    this.#parts = parts;
  }

  /** Undefined while they listen nowhere. */
  get server(): AdminServer | undefined {
    return this.#server;
  }

  /** Makes sure that they can listen there, or nowhere. Rejects with AdminError. */
  async prepare(at: ListenerSpec | undefined): Promise<Prepared> {
    if (isDeepStrictEqual(at, this.#at)) return unchanged;
    const server = at && (await startAdmin(at, this.#parts.sources));
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

  #replace(at: ListenerSpec | undefined, server: AdminServer | undefined): void {
    const { log, clock } = this.#parts;
    const old = this.#server;
    this.#at = at;
    this.#server = server;
    if (server) log.info({ address: server.address, port: server.port }, 'admin endpoints listen');
    if (!old) return;
    this.#old.add(old);
    clock.setTimer(grace, () => {
      this.#old.delete(old);
      void old.close();
    });
  }
}
