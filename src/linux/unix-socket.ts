/** Connections of messages between processes of one host (unix(7), SOCK_SEQPACKET). */
import {
  AF_UNIX,
  SO_PEERCRED,
  SOCK_CLOEXEC,
  SOCK_NONBLOCK,
  SOCK_SEQPACKET,
  SOL_SOCKET,
} from './constants.ts';
import { SOCKADDR_UN, UCRED } from './layout.ts';
import type { Libc } from './libc.ts';
import { close } from './sockets.ts';
import { checked } from './syscall-error.ts';

const flags = SOCK_NONBLOCK | SOCK_CLOEXEC;

/** A process as it was when the connection was made. */
export interface PeerProcess {
  readonly pid: number;
  readonly user: number;
}

/** Listens at `path`, which must not exist, for one connection. Never blocks. Throws SyscallError, RangeError if it is too long. */
export function listenUnix(libc: Libc, path: string): number {
  return opened(libc, (fd) => {
    checked('bind', libc.bind(fd, encodePath(path)));
    checked('listen', libc.listen(fd, 1));
  });
}

/** Never blocks, neither now nor later. Throws SyscallError, RangeError if the path is too long. */
export function connectUnix(libc: Libc, path: string): number {
  return opened(libc, (fd) => checked('connect', libc.connect(fd, encodePath(path))));
}

/** The connection, or a negative errno: -EAGAIN if there is none yet. */
export function acceptUnix(libc: Libc, fd: number): number {
  return libc.accept(fd, flags);
}

/** Who is at the other end. Throws SyscallError. */
export function peerOf(libc: Libc, fd: number): PeerProcess {
  const credentials = new Uint8Array(UCRED.size);
  checked('getsockopt SO_PEERCRED', libc.getsockopt(fd, SOL_SOCKET, SO_PEERCRED, credentials));
  const view = new DataView(credentials.buffer);
  return { pid: view.getInt32(UCRED.pid, true), user: view.getUint32(UCRED.user, true) };
}

function opened(libc: Libc, prepare: (fd: number) => void): number {
  const fd = checked('socket', libc.socket(AF_UNIX, SOCK_SEQPACKET | flags, 0));
  try {
    prepare(fd);
    return fd;
  } catch (error) {
    close(libc, fd);
    throw error;
  }
}

function encodePath(path: string): Uint8Array {
  const text = Buffer.from(path, 'utf8');
  const room = SOCKADDR_UN.size - SOCKADDR_UN.path - 1;
  if (text.length === 0 || text.length > room || text.includes(0)) {
    throw new RangeError(`a socket’s path has 1 to ${room} bytes: ${JSON.stringify(path)}`);
  }
  const name = new Uint8Array(SOCKADDR_UN.size);
  new DataView(name.buffer).setUint16(SOCKADDR_UN.family, AF_UNIX, true);
  name.set(text, SOCKADDR_UN.path);
  return name;
}
