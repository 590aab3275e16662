/**
 * Where the kernel's structs have their fields, in bytes. Both supported processors are 64-bit and little-endian, and
 * differ in `epoll_event` alone, and in the numbers of the system calls.
 */

/** The processors whose layouts are known, by the names that Node gives them. */
export type Arch = 'x64' | 'arm64';

/** struct mmsghdr: a msghdr, and behind it the length of its message. */
export const MMSGHDR = {
  size: 64,
  name: 0,
  nameLength: 8,
  vector: 16,
  vectorLength: 24,
  control: 32,
  controlLength: 40,
  flags: 48,
  messageLength: 56,
} as const;

/** struct iovec. */
export const IOVEC = { size: 16, base: 0, length: 8 } as const;

/** struct sockaddr_in. */
export const SOCKADDR_IN = { size: 16, family: 0, port: 2, address: 4 } as const;

/** struct sockaddr_in6. */
export const SOCKADDR_IN6 = { size: 28, family: 0, port: 2, address: 8, scope: 24 } as const;

/** struct sockaddr_un: the path ends with a zero. */
export const SOCKADDR_UN = { size: 110, family: 0, path: 2 } as const;

/** struct ucred. */
export const UCRED = { size: 12, pid: 0, user: 4 } as const;

/** struct cmsghdr, which its data follow at once. Entries begin at multiples of 8. */
export const CMSGHDR = { size: 16, length: 0, level: 8, type: 12, align: 8 } as const;

/** struct in_pktinfo. */
export const IN_PKTINFO = { size: 12, interfaceIndex: 0, local: 4, destination: 8 } as const;

/** struct in6_pktinfo. */
export const IN6_PKTINFO = { size: 20, address: 0, interfaceIndex: 16 } as const;

/** struct sock_extended_err, which the address of the offender follows. */
export const SOCK_EXTENDED_ERR = {
  size: 16,
  errno: 0,
  origin: 4,
  type: 5,
  code: 6,
  info: 8,
} as const;

/** struct sock_filter: one instruction of a classic BPF program. */
export const SOCK_FILTER = { size: 8, code: 0, jumpTrue: 2, jumpFalse: 3, operand: 4 } as const;

/** struct sock_fprog. */
export const SOCK_FPROG = { size: 16, length: 0, filter: 8 } as const;

/** struct epoll_event: packed on x64 alone. */
export const EPOLL_EVENT: Readonly<Record<Arch, { size: number; events: number; data: number }>> = {
  x64: { size: 12, events: 0, data: 4 },
  arm64: { size: 16, events: 0, data: 8 },
};

/** Numbers of the system calls that are made without their wrappers in the C library. */
export const SYSCALL_NUMBERS: Readonly<Record<Arch, { recvmmsg: number; sendmmsg: number }>> = {
  x64: { recvmmsg: 299, sendmmsg: 307 },
  arm64: { recvmmsg: 243, sendmmsg: 269 },
};
