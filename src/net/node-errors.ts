import { NetError, type NetErrorCode } from './net.ts';

/** What the operating system's error names mean for this program, and in plain words. */
const meanings: Readonly<Record<string, readonly [NetErrorCode, string]>> = {
  EADDRINUSE: ['TLB_ERR_ADDRESS_IN_USE', 'another socket holds this address and port'],
  EADDRNOTAVAIL: ['TLB_ERR_ADDRESS_NOT_LOCAL', 'this host does not have the address'],
  EACCES: ['TLB_ERR_PERMISSION', 'permission denied'],
  EPERM: ['TLB_ERR_PERMISSION', 'forbidden by the operating system, for example by its firewall'],
  EMFILE: ['TLB_ERR_NO_DESCRIPTORS', 'this process has no file descriptors left'],
  ENFILE: ['TLB_ERR_NO_DESCRIPTORS', 'the system has no file descriptors left'],
  EMSGSIZE: ['TLB_ERR_MESSAGE_TOO_LONG', 'the datagram is too long'],
  EHOSTUNREACH: ['TLB_ERR_UNREACHABLE', 'the host cannot be reached'],
  EHOSTDOWN: ['TLB_ERR_UNREACHABLE', 'the host is down'],
  ENETUNREACH: ['TLB_ERR_UNREACHABLE', 'no route leads to the network'],
  ENETDOWN: ['TLB_ERR_UNREACHABLE', 'the network interface is down'],
  ECONNREFUSED: ['TLB_ERR_REFUSED', 'nothing listens there'],
  ETIMEDOUT: ['TLB_ERR_TIMEOUT', 'the other host does not answer'],
  ECONNRESET: ['TLB_ERR_SOCKET', 'the other side reset it'],
  EPIPE: ['TLB_ERR_SOCKET', 'the other side reset it'],
  ENOBUFS: ['TLB_ERR_SOCKET', 'the system has no buffer space left'],
  ENOMEM: ['TLB_ERR_SOCKET', 'the system has no memory left'],
  EINVAL: [
    'TLB_ERR_SOCKET',
    'the address does not fit (one that is link-local needs its zone, as in fe80::1%eth0)',
  ],
  ENOTFOUND: ['TLB_ERR_UNKNOWN_HOST', 'no such host'],
  EAI_AGAIN: ['TLB_ERR_UNKNOWN_HOST', 'the name servers do not answer'],
  EAI_FAIL: ['TLB_ERR_UNKNOWN_HOST', 'the name servers cannot tell'],
};

/** The name of a system error (`EADDRINUSE`), or '' if `error` is none. */
export function errnoOf(error: unknown): string {
  if (!(error instanceof Error)) return '';
  // A system call that was made without Node has a code of this program's and the name beside it.
  if ('errnoName' in error && typeof error.errnoName === 'string') return error.errnoName;
  return 'code' in error && typeof error.code === 'string' ? error.code : '';
}

/**
 * `attempt` says what failed: "cannot bind 192.0.2.1 port 69". `fallback` is the code of what has no other. What is a
 * NetError already stays as it is.
 */
export function toNetError(
  error: unknown,
  attempt: string,
  fallback: NetErrorCode = 'TLB_ERR_SOCKET',
): NetError {
  if (error instanceof NetError) return error;
  const unnamed = error instanceof Error ? error.message : String(error);
  const [code, reason] = meanings[errnoOf(error)] ?? [fallback, unnamed];
  return new NetError(code, `${attempt}: ${reason}`, { cause: error });
}
