import type { Endpoint } from '../../net/net.ts';
import type { Libc } from '../libc.ts';
import { steerBySource } from '../source-steering.ts';
import { boundTo, close } from '../sockets.ts';
import type { LentSocket } from './linux-net.ts';
import { openSocket, orNetError } from './open-socket.ts';

/** Bytes of receive buffer, as far as the kernel lets: a room full of machines asks in one moment. */
const receiveBuffer = 4_194_304;

/**
 * As many sockets for one address and port as there are threads to serve them. The group keeps its size for as long as
 * they are open, whatever becomes of a thread, so every client stays with its thread: the one that its address leads
 * to. Port 0 lets the kernel choose one for all. Throws NetError, with nothing left open.
 */
export function openListeningGroup(libc: Libc, at: Endpoint, threads: number): LentSocket[] {
  // A shared bind succeeds beside any other shared socket, also another program's: an exclusive one tells.
  const probe = openSocket(libc, at);
  const port = portOf(libc, probe);
  close(libc, probe);
  const group: LentSocket[] = [];
  try {
    for (let thread = 0; thread < threads; thread++) group.push(openMember(libc, { ...at, port }));
    const [first] = group;
    if (first && threads > 1)
      orNetError('cannot steer clients', () => steerBySource(libc, first.fd, threads));
    return group;
  } catch (error) {
    for (const { fd } of group) close(libc, fd);
    throw error;
  }
}

export function closeListeningGroup(libc: Libc, group: readonly LentSocket[]): void {
  for (const { fd } of group) close(libc, fd);
}

function openMember(libc: Libc, at: Endpoint): LentSocket {
  const isWildcard = at.address === '0.0.0.0' || at.address === '::';
  const binding = { ...at, receiveBuffer, reusePort: true };
  return { ...at, fd: openSocket(libc, binding, { hasPacketInfo: isWildcard }) };
}

function portOf(libc: Libc, fd: number): number {
  return orNetError('cannot bind', () => boundTo(libc, fd).port);
}
