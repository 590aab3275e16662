/** Where operators come in: the admin endpoints over TCP, and the socket at which they may change things. */
import { readFileSync } from 'node:fs';

import type { Config } from '../config/config.ts';
import type { Access } from '../observe/admin-access.ts';
import { AdminError, type AdminServer, type AdminSources, startAdmin } from '../observe/admin.ts';
import { type AdminSocket, startAdminSocket } from '../observe/admin-socket.ts';
import type { Logger } from '../observe/log.ts';

/** The file with the token of the admin endpoints cannot be read, or has none that is fit for it. */
export class AdminTokenError extends Error {
  override readonly name = 'AdminTokenError';
  readonly code = 'TLB_ERR_ADMIN_TOKEN';
}

/** A shorter one can be guessed (characters). */
const shortestToken = 16;

export class AdminDoors {
  readonly #config: Config;
  readonly #log: Logger;
  readonly #defaultSocket: string | undefined;
  readonly #access: Access;
  #tcp: AdminServer | undefined;
  #socket: AdminSocket | undefined;

  /** `defaultSocket` is where an `auto` socket is; undefined where there is no place for it. Throws AdminTokenError. */
  constructor(config: Config, log: Logger, defaultSocket: string | undefined) {
    this.#config = config;
    this.#log = log;
    this.#defaultSocket = defaultSocket;
    const { adminTokenFile } = config;
    this.#access =
      adminTokenFile === undefined
        ? { kind: 'read-only' }
        : { kind: 'token', token: tokenIn(adminTokenFile) };
  }

  /** Where the endpoints listen over TCP; undefined before they do, and where they are turned off. */
  get tcp(): AdminServer | undefined {
    return this.#tcp;
  }

  /** Rejects with AdminError; `close` has to be called then too. */
  async open(sources: AdminSources): Promise<void> {
    const { admin } = this.#config;
    if (admin) {
      this.#tcp = await startAdmin(admin, sources, this.#access);
      const { address, port } = this.#tcp;
      this.#log.info({ address, port }, 'admin endpoints listen');
    }
    await this.#openSocket(sources);
  }

  /** Idempotent. */
  async close(): Promise<void> {
    await Promise.all([this.#tcp?.close(), this.#socket?.close()]);
  }

  async #openSocket(sources: AdminSources): Promise<void> {
    const { adminSocket } = this.#config;
    const path = adminSocket === 'auto' ? this.#defaultSocket : adminSocket;
    if (path === undefined) {
      if (adminSocket === 'auto') this.#goWithout('there is no runtime directory');
      return;
    }
    try {
      this.#socket = await startAdminSocket(path, sources);
      this.#log.info({ path }, 'admin socket listens');
    } catch (error) {
      // Nobody asked for it in so many words, and it is of no use where nothing can be written.
      if (adminSocket !== 'auto' || !isUnwritable(error)) throw error;
      this.#goWithout(error.message);
    }
  }

  #goWithout(reason: string): void {
    this.#log.info({ reason }, 'no admin socket: nothing can be changed through it');
  }
}

function isUnwritable(error: unknown): error is AdminError {
  if (!(error instanceof AdminError) || !(error.cause instanceof Error)) return false;
  const code = 'code' in error.cause ? error.cause.code : undefined;
  return code === 'EACCES' || code === 'EPERM' || code === 'EROFS' || code === 'ENOENT';
}

function tokenIn(path: string): string {
  const token = firstLineOf(path);
  if (token.length >= shortestToken && /^[\x21-\x7e]+$/.test(token)) return token;
  throw new AdminTokenError(
    `--admin-token-file ${path}: expected ${shortestToken} printable characters or more, without a space, in its first line`,
  );
}

function firstLineOf(path: string): string {
  try {
    return readFileSync(path, 'utf8').split(/\r?\n/, 1)[0] ?? '';
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new AdminTokenError(`cannot read --admin-token-file: ${reason}`, { cause });
  }
}
