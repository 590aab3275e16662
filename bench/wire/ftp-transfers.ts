/** Files that come and go as fast as Node moves bytes: nothing is allocated for a chunk, nothing looked at. */
import { connect, type OnReadOpts, type Socket } from 'node:net';
import { connect as connectSecurely } from 'node:tls';

import { fileOf, sink } from '../ftp-messages.ts';
import { loopback } from '../messages.ts';
import type { FtpControl } from './ftp-control.ts';

/** What all downloads are read into, and what all uploads consist of. */
const chunk = Buffer.alloc(1_048_576, 'tftp-lb');

/** Rejects if anything else than `bytes` bytes arrive, or if they do not arrive well. */
export async function download(control: FtpControl, bytes: number): Promise<void> {
  const port = await control.enterPassive();
  let arrived = 0;
  const onread = {
    buffer: chunk,
    callback: (count: number): boolean => {
      arrived += count;
      return true;
    },
  };
  const closed = closeOf(connectData(control, port, onread));
  await control.ask(`RETR ${fileOf(bytes)}`, '150');
  await closed;
  await control.expect('226', 'RETR');
  if (arrived !== bytes) throw new Error(`${arrived} bytes arrived instead of ${bytes}`);
}

/** Rejects if they do not arrive well. */
export async function upload(control: FtpControl, bytes: number): Promise<void> {
  const port = await control.enterPassive();
  const socket = connectData(control, port).resume();
  const closed = closeOf(socket);
  await control.ask(`APPE ${sink}`, '150');
  send(socket, bytes);
  await closed;
  await control.expect('226', 'APPE');
}

/**
 * As the control connection is: under TLS, whose session it resumes, as strict servers demand, or not. Where Node makes
 * the connection beneath by itself, it resumes nothing, and where it does not, it leaves `onread` alone.
 */
function connectData({ session }: FtpControl, port: number, onread?: OnReadOpts): Socket {
  const options = { host: loopback, port };
  if (session === undefined) return connect({ ...options, ...(onread && { onread }) });
  const socket = connectSecurely({ socket: connect(options), session, rejectUnauthorized: false });
  return onread ? socket.on('data', (data: Buffer) => onread.callback(data.length, data)) : socket;
}

function send(socket: Socket, bytes: number): void {
  let left = bytes;
  const next = (): void => {
    while (left > 0) {
      const part = left < chunk.length ? chunk.subarray(0, left) : chunk;
      left -= part.length;
      if (!socket.write(part)) return;
    }
    socket.end();
  };
  socket.on('drain', next);
  next();
}

/** Resolves once both directions are over. Rejects after a failure. */
function closeOf(socket: Socket): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  socket.once('error', reject).once('close', () => resolve());
  // What goes wrong may be heard of while something else is waited for.
  promise.catch(() => undefined);
  return promise;
}
