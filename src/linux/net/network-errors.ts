/** What the kernel makes of ICMP errors (icmp_err_convert and icmpv6_err_convert in the kernel's source). */
import {
  EACCES,
  ECONNREFUSED,
  EHOSTDOWN,
  EHOSTUNREACH,
  EMSGSIZE,
  ENETUNREACH,
  ENONET,
  ENOPROTOOPT,
  EOPNOTSUPP,
  EPROTO,
} from '../constants.ts';

const refusals: ReadonlySet<number> = new Set([
  ECONNREFUSED,
  EHOSTUNREACH,
  EHOSTDOWN,
  ENETUNREACH,
  ENOPROTOOPT,
]);

const others: ReadonlySet<number> = new Set([EACCES, EMSGSIZE, ENONET, EOPNOTSUPP, EPROTO]);

/** Whether nobody serves where the datagram was sent to (RFC 1122 section 4.1.3.3). `errno` is positive. */
export function isRefusal(errno: number): boolean {
  return refusals.has(errno);
}

/** Whether the error may have been told by another host, some time after the datagram was sent. */
export function mayComeLate(errno: number): boolean {
  return refusals.has(errno) || others.has(errno);
}
