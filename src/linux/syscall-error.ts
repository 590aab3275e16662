import { getSystemErrorMessage, getSystemErrorName } from 'node:util';

/** A system call that the kernel refused. */
export class SyscallError extends Error {
  override readonly name = 'SyscallError';
  readonly code = 'TLB_ERR_SYSCALL';
  /** The call's name as in its manual page, and the option where it has one: `bind`, `setsockopt IP_PKTINFO`. */
  readonly syscall: string;
  /** Positive, as in errno(3). */
  readonly errno: number;
  /** `EADDRINUSE`. */
  readonly errnoName: string;

  constructor(syscall: string, errno: number) {
    const errnoName = getSystemErrorName(-errno);
    super(`${syscall}: ${errnoName}, ${getSystemErrorMessage(-errno)}`);
    this.syscall = syscall;
    this.errno = errno;
    this.errnoName = errnoName;
  }
}

/** Passes on what a call has returned unless it is a negative errno: that is thrown as SyscallError. */
export function checked(syscall: string, result: number): number {
  if (result < 0) throw new SyscallError(syscall, -result);
  return result;
}
