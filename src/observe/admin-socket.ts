/** The admin endpoints at a unix socket, which whoever may open it may use to change things. */
import { lstatSync, mkdirSync, rmSync } from 'node:fs';
import type { Server } from 'node:http';
import { connect } from 'node:net';
import path from 'node:path';

import { AdminError, type AdminSources, serverFor } from './admin.ts';
import { closeServer } from './admin-http.ts';

export interface AdminSocket {
  readonly path: string;
  /** Closes the listener and every connection, and removes the socket. Idempotent. */
  close(): Promise<void>;
}

/** Milliseconds within which a process that lives takes a connection to its own host. */
const patience = 1000;

/**
 * Listens at `path`, for this user and root alone. The folder is made if it is missing, and a socket that nobody listens
 * at any more is replaced. Rejects with AdminError, also if somebody listens there.
 */
export async function startAdminSocket(path: string, sources: AdminSources): Promise<AdminSocket> {
  const server = serverFor(sources, () => ({ kind: 'socket' }));
  try {
    makeFolder(path);
    await clear(path);
    await listen(server, path);
  } catch (error) {
    throw refusal(error, path);
  }
  return { path, close: () => closeServer(server) };
}

/** The last folder of the path alone: a missing one above it is a mistake. */
function makeFolder(socket: string): void {
  try {
    mkdirSync(path.dirname(socket), { mode: 0o700 });
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  }
}

/** Removes what a process has left behind that did not end in peace. */
async function clear(path: string): Promise<void> {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) return;
  if (!found.isSocket()) throw new Error('there is something else that is no socket');
  if (await isAlive(path)) throw new Error('another process listens there');
  rmSync(path, { force: true });
}

async function isAlive(path: string): Promise<boolean> {
  const { promise, resolve, reject } = Promise.withResolvers<boolean>();
  const socket = connect({ path });
  socket.setTimeout(patience, () => resolve(true));
  socket.once('connect', () => resolve(true));
  socket.once('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'ECONNREFUSED' || error.code === 'ENOENT') resolve(false);
    else reject(error);
  });
  try {
    return await promise;
  } finally {
    socket.destroy();
  }
}

async function listen(server: Server, path: string): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  // It stays for later errors, as when descriptors run out: those cost a connection and not the process.
  server.on('error', reject);
  // What is bound within the call gets its permissions from this mask, so nobody can be quicker than a chmod.
  const mask = process.umask(0o177);
  try {
    server.listen({ path }, resolve);
  } finally {
    process.umask(mask);
  }
  await promise;
}

function refusal(cause: unknown, path: string): AdminError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new AdminError(
    `the admin socket cannot be at ${path}: ${reason}; choose another --admin-socket PATH, or --no-admin-socket`,
    { cause },
  );
}
