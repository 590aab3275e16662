/** Where operators come in: the admin endpoints over TCP, and the socket at which they may change things. */
import type { AdminConfig } from '../config/config.ts';
import type { ListenerSpec } from '../engine/snapshot.ts';
import type { Clock } from '../net/net.ts';
import type { Access } from '../observe/admin-access.ts';
import { AdminError, type AdminServer, type AdminSources, startAdmin } from '../observe/admin.ts';
import { type AdminSocket, startAdminSocket } from '../observe/admin-socket.ts';
import type { Logger } from '../observe/log.ts';
import { AdminDoor } from './admin-door.ts';
import { readAdminToken } from './admin-token.ts';
import { type Prepared, prepareAll } from './prepared.ts';

export interface AdminDoorsParts {
  readonly sources: AdminSources;
  readonly log: Logger;
  readonly clock: Pick<Clock, 'setTimer'>;
  /** Where an `auto` socket is; undefined where there is no place for it. */
  readonly defaultSocket: string | undefined;
}

export class AdminDoors {
  readonly #log: Logger;
  readonly #defaultSocket: string | undefined;
  readonly #tcp: AdminDoor<ListenerSpec, AdminServer>;
  readonly #socket: AdminDoor<string, AdminSocket>;
  #access: Access = { kind: 'read-only' };

  constructor({ sources, log, clock, defaultSocket }: AdminDoorsParts) {
    this.#log = log;
    this.#defaultSocket = defaultSocket;
    this.#tcp = new AdminDoor({
      clock,
      open: (at) => startAdmin(at, sources, () => this.#access),
      onOpen: ({ address, port }) => log.info({ address, port }, 'admin endpoints listen'),
    });
    this.#socket = new AdminDoor({
      clock,
      open: (path) => startAdminSocket(path, sources),
      onOpen: ({ path }) => log.info({ path }, 'admin socket listens'),
    });
  }

  /** Where the endpoints listen over TCP; undefined before they do, and where they are turned off. */
  get tcp(): AdminServer | undefined {
    return this.#tcp.server;
  }

  /** Makes sure that they can be as `config` has them. The token is read anew. Rejects with AdminTokenError or AdminError. */
  prepare(config: AdminConfig): Promise<Prepared> {
    return prepareAll([
      async () => this.#prepareAccess(config.tokenFile),
      () => this.#tcp.prepare(config.listen),
      () => (config.socket === 'auto' ? this.#prepareDefaultSocket() : this.#socket.prepare(config.socket)),
    ]);
  }

  /** Idempotent. */
  async close(): Promise<void> {
    await Promise.all([this.#tcp.close(), this.#socket.close()]);
  }

  #prepareAccess(tokenFile: string | undefined): Prepared {
    const read = tokenFile === undefined ? undefined : readAdminToken(tokenFile);
    const adopt = (): void => {
      this.#access = read ? { kind: 'token', token: read.token } : { kind: 'read-only' };
      if (read?.isPublic === true) {
        this.#log.warn(
          { path: tokenFile },
          'every user of this machine can read the token of the admin endpoints',
        );
      }
    };
    return { adopt, cancel: () => undefined };
  }

  /** Nobody asked for it in so many words, and it is of no use where nothing can be written. */
  async #prepareDefaultSocket(): Promise<Prepared> {
    const path = this.#defaultSocket;
    if (path === undefined) return this.#goWithout('there is no runtime directory');
    try {
      return await this.#socket.prepare(path);
    } catch (error) {
      if (isUnwritable(error)) return this.#goWithout(error.message);
      throw error;
    }
  }

  async #goWithout(reason: string): Promise<Prepared> {
    const none = await this.#socket.prepare(undefined);
    return {
      adopt: () => {
        none.adopt();
        this.#log.info({ reason }, 'no admin socket: nothing can be changed through it');
      },
      cancel: () => none.cancel(),
    };
  }
}

function isUnwritable(error: unknown): error is AdminError {
  if (!(error instanceof AdminError) || !(error.cause instanceof Error)) return false;
  const code = 'code' in error.cause ? error.cause.code : undefined;
  return code === 'EACCES' || code === 'EPERM' || code === 'EROFS' || code === 'ENOENT';
}
