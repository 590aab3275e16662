import { IPPROTO_IP, IPPROTO_IPV6, IP_PKTINFO, IP_RECVERR, IPV6_RECVERR, SOL_SOCKET } from './constants.ts';
import type { Libc } from './libc.ts';
import { checked } from './syscall-error.ts';

/** An option whose value is an integer, by its name in the manual. */
export type SocketOption =
  | 'SO_REUSEADDR'
  | 'SO_ERROR'
  | 'SO_SNDBUF'
  | 'SO_RCVBUF'
  | 'SO_REUSEPORT'
  | 'SO_RCVBUFFORCE'
  | 'IP_PKTINFO'
  | 'IP_MTU_DISCOVER'
  | 'IP_RECVERR'
  | 'IP_FREEBIND'
  | 'IP_TRANSPARENT'
  | 'IPV6_MTU_DISCOVER'
  | 'IPV6_RECVERR'
  | 'IPV6_V6ONLY'
  | 'IPV6_RECVPKTINFO'
  | 'IPV6_TRANSPARENT'
  | 'IPV6_FREEBIND';

/** Their levels and numbers, the same on x64 and arm64. */
export const SOCKET_OPTIONS: Readonly<Record<SocketOption, readonly [level: number, number: number]>> = {
  SO_REUSEADDR: [SOL_SOCKET, 2],
  /** Reading it clears it: the pending error of the socket, 0 if there is none. */
  SO_ERROR: [SOL_SOCKET, 4],
  /** Bytes; the kernel doubles what it is given, and cuts it to net.core.wmem_max first. */
  SO_SNDBUF: [SOL_SOCKET, 7],
  /** Bytes; the kernel doubles what it is given, and cuts it to net.core.rmem_max first. */
  SO_RCVBUF: [SOL_SOCKET, 8],
  SO_REUSEPORT: [SOL_SOCKET, 15],
  /** As SO_RCVBUF without the limit; needs CAP_NET_ADMIN. */
  SO_RCVBUFFORCE: [SOL_SOCKET, 33],
  /** Tells the destination address of what is received. */
  IP_PKTINFO: [IPPROTO_IP, IP_PKTINFO],
  IP_MTU_DISCOVER: [IPPROTO_IP, 10],
  /** Queues ICMP errors with the destinations that they are about. */
  IP_RECVERR: [IPPROTO_IP, IP_RECVERR],
  /** Binds to addresses that the host does not have yet. */
  IP_FREEBIND: [IPPROTO_IP, 15],
  /** Binds to addresses that are another host's; needs CAP_NET_ADMIN or CAP_NET_RAW. */
  IP_TRANSPARENT: [IPPROTO_IP, 19],
  IPV6_MTU_DISCOVER: [IPPROTO_IPV6, 23],
  IPV6_RECVERR: [IPPROTO_IPV6, IPV6_RECVERR],
  /** An IPv6 socket that takes no IPv4. */
  IPV6_V6ONLY: [IPPROTO_IPV6, 26],
  /** As IP_PKTINFO. */
  IPV6_RECVPKTINFO: [IPPROTO_IPV6, 49],
  IPV6_TRANSPARENT: [IPPROTO_IPV6, 75],
  IPV6_FREEBIND: [IPPROTO_IPV6, 78],
};

/** Values of IP_MTU_DISCOVER and IPV6_MTU_DISCOVER. */
export const MTU_DISCOVER = {
  /** Fragments where a link needs it. */
  never: 0,
  /** Fragments by what is known of the path, and tells routers not to. */
  wanted: 1,
  /** Never fragments: EMSGSIZE for what is too long for the path. */
  always: 2,
  /** Never fragments, and knows only of the first link. */
  probe: 3,
} as const;

/** Throws SyscallError, and RangeError if `value` is no 32-bit integer. */
export function setOption(libc: Libc, fd: number, option: SocketOption, value: number): void {
  if ((value | 0) !== value) throw new RangeError(`${option} takes a 32-bit integer, not ${value}`);
  const [level, number] = SOCKET_OPTIONS[option];
  const bytes = new Uint8Array(new Int32Array([value]).buffer);
  checked(`setsockopt ${option}`, libc.setsockopt(fd, level, number, bytes));
}

/** Throws SyscallError. */
export function getOption(libc: Libc, fd: number, option: SocketOption): number {
  const [level, number] = SOCKET_OPTIONS[option];
  const value = new Int32Array(1);
  const result = libc.getsockopt(fd, level, number, new Uint8Array(value.buffer));
  checked(`getsockopt ${option}`, result);
  return value[0] ?? 0;
}
