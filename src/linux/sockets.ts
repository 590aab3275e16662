import type { Endpoint } from '../net/net.ts';
import {
  AF_INET,
  AF_INET6,
  EINTR,
  F_DUPFD_CLOEXEC,
  SOCK_CLOEXEC,
  SOCK_DGRAM,
  SOCK_NONBLOCK,
} from './constants.ts';
import type { Libc } from './libc.ts';
import { decodeName, encodeName } from './name-codec.ts';
import { NAME_SIZE } from './socket-names.ts';
import { checked } from './syscall-error.ts';

/** A UDP socket that never blocks and that no child process inherits. Throws SyscallError. */
export function openUdp(libc: Libc, family: 4 | 6): number {
  const type = SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC;
  return checked('socket', libc.socket(family === 4 ? AF_INET : AF_INET6, type, 0));
}

/** Port 0 lets the kernel choose. Throws SyscallError, and what `encodeName` throws. */
export function bind(libc: Libc, fd: number, endpoint: Endpoint): void {
  checked('bind', libc.bind(fd, encodeName(libc, endpoint)));
}

/** From now on the socket hears only this peer. Throws SyscallError, and what `encodeName` throws. */
export function connect(libc: Libc, fd: number, peer: Endpoint): void {
  checked('connect', libc.connect(fd, encodeName(libc, peer)));
}

/** What the socket is bound to. Throws SyscallError. */
export function boundTo(libc: Libc, fd: number): Endpoint {
  const name = new Uint8Array(NAME_SIZE);
  const length = checked('getsockname', libc.getsockname(fd, name));
  return decodeName(libc, name.subarray(0, length));
}

/** Another descriptor of the same open socket. Throws SyscallError. */
export function duplicate(libc: Libc, fd: number): number {
  return checked('fcntl', libc.fcntl(fd, F_DUPFD_CLOEXEC, 0));
}

/** Throws SyscallError. */
export function close(libc: Libc, fd: number): void {
  const result = libc.close(fd);
  // Linux has closed the descriptor all the same (close(2), "Dealing with error returns from close()").
  if (result !== -EINTR) checked('close', result);
}
