import { isIPv6 } from 'node:net';
import { NetError, type NetErrorCode, type UdpBinding } from '../../net/net.ts';
import { toNetError } from '../../net/node-errors.ts';
import type { Libc } from '../libc.ts';
import { setOption } from '../socket-options.ts';
import { bind, close, openUdp } from '../sockets.ts';
import { SyscallError } from '../syscall-error.ts';

export interface OpenOptions {
  /** Queues ICMP errors. */
  readonly hearsErrors?: boolean;
  /** Tells and takes the address of this host with each datagram. */
  readonly hasPacketInfo?: boolean;
  /** Binds to an address that is another host's; needs CAP_NET_ADMIN or CAP_NET_RAW. */
  readonly isTransparent?: boolean;
}

/** A UDP socket that is bound. Throws NetError. */
export function openSocket(libc: Libc, at: UdpBinding, options: OpenOptions = {}): number {
  const attempt = `cannot bind ${at.address} port ${at.port}`;
  const fd = orNetError(attempt, () => openUdp(libc, isIPv6(at.address) ? 6 : 4));
  try {
    orNetError(attempt, () => {
      prepare(libc, fd, at, options);
      bind(libc, fd, at);
    });
    return fd;
  } catch (error) {
    close(libc, fd);
    const isFull = at.port === 0 && error instanceof NetError && error.code === 'TLB_ERR_ADDRESS_IN_USE';
    if (!isFull) throw error;
    throw new NetError('TLB_ERR_NO_PORTS', `cannot bind ${at.address}: no free port is left`, {
      cause: error,
    });
  }
}

/** What `act` returns; what it throws becomes a NetError that says what was attempted. */
export function orNetError<Result>(attempt: string, act: () => Result): Result {
  try {
    return act();
  } catch (error) {
    throw toNetError(error, attempt);
  }
}

/** The NetError for a datagram that could not be sent or received, for the reason `errno` (positive). */
export function datagramError(errno: number, attempt: string): NetError {
  const fallback: NetErrorCode = 'TLB_ERR_SOCKET';
  return toNetError(new SyscallError('sendmmsg', errno), attempt, fallback);
}

function prepare(libc: Libc, fd: number, at: UdpBinding, options: OpenOptions): void {
  const { address, receiveBuffer, reusePort } = at;
  const isV6 = isIPv6(address);
  if (isV6) setOption(libc, fd, 'IPV6_V6ONLY', 1);
  if (reusePort) setOption(libc, fd, 'SO_REUSEPORT', 1);
  if (options.isTransparent) setOption(libc, fd, isV6 ? 'IPV6_TRANSPARENT' : 'IP_TRANSPARENT', 1);
  if (options.hearsErrors) setOption(libc, fd, isV6 ? 'IPV6_RECVERR' : 'IP_RECVERR', 1);
  if (options.hasPacketInfo) setOption(libc, fd, isV6 ? 'IPV6_RECVPKTINFO' : 'IP_PKTINFO', 1);
  if (receiveBuffer !== undefined) widen(libc, fd, receiveBuffer);
}

/** As far as the system lets: without CAP_NET_ADMIN up to its limit, which still works. */
function widen(libc: Libc, fd: number, bytes: number): void {
  try {
    setOption(libc, fd, 'SO_RCVBUFFORCE', bytes);
  } catch (error) {
    if (!(error instanceof SyscallError)) throw error;
    setOption(libc, fd, 'SO_RCVBUF', bytes);
  }
}
