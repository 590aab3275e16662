import { describe, expect, it } from 'vitest';
import * as constants from '../../../src/linux/constants.ts';
import { ERROR_ORIGIN } from '../../../src/linux/error-queue.ts';
import * as layout from '../../../src/linux/layout.ts';
import { MTU_DISCOVER, SOCKET_OPTIONS } from '../../../src/linux/socket-options.ts';
import { missingCompiler, valuesInC } from './compiler.ts';

const { CMSGHDR, EPOLL_EVENT, IN6_PKTINFO, IN_PKTINFO, IOVEC, MMSGHDR } = layout;
const { SOCKADDR_IN, SOCKADDR_IN6, SOCK_EXTENDED_ERR, SOCK_FILTER, SOCK_FPROG, SYSCALL_NUMBERS } = layout;
const { SOCKADDR_UN, UCRED } = layout;

/** The expression in C, its recorded value, and what the program believes. */
type Row = readonly [expression: string, recorded: number, believed: number];

const alike: readonly Row[] = [
  ['sizeof(struct mmsghdr)', 64, MMSGHDR.size],
  ['offsetof(struct mmsghdr, msg_hdr.msg_name)', 0, MMSGHDR.name],
  ['offsetof(struct mmsghdr, msg_hdr.msg_namelen)', 8, MMSGHDR.nameLength],
  ['offsetof(struct mmsghdr, msg_hdr.msg_iov)', 16, MMSGHDR.vector],
  ['offsetof(struct mmsghdr, msg_hdr.msg_iovlen)', 24, MMSGHDR.vectorLength],
  ['offsetof(struct mmsghdr, msg_hdr.msg_control)', 32, MMSGHDR.control],
  ['offsetof(struct mmsghdr, msg_hdr.msg_controllen)', 40, MMSGHDR.controlLength],
  ['offsetof(struct mmsghdr, msg_hdr.msg_flags)', 48, MMSGHDR.flags],
  ['offsetof(struct mmsghdr, msg_len)', 56, MMSGHDR.messageLength],
  ['sizeof(struct iovec)', 16, IOVEC.size],
  ['offsetof(struct iovec, iov_base)', 0, IOVEC.base],
  ['offsetof(struct iovec, iov_len)', 8, IOVEC.length],
  ['sizeof(struct sockaddr_in)', 16, SOCKADDR_IN.size],
  ['offsetof(struct sockaddr_in, sin_family)', 0, SOCKADDR_IN.family],
  ['offsetof(struct sockaddr_in, sin_port)', 2, SOCKADDR_IN.port],
  ['offsetof(struct sockaddr_in, sin_addr)', 4, SOCKADDR_IN.address],
  ['sizeof(struct sockaddr_in6)', 28, SOCKADDR_IN6.size],
  ['offsetof(struct sockaddr_in6, sin6_family)', 0, SOCKADDR_IN6.family],
  ['offsetof(struct sockaddr_in6, sin6_port)', 2, SOCKADDR_IN6.port],
  ['offsetof(struct sockaddr_in6, sin6_addr)', 8, SOCKADDR_IN6.address],
  ['offsetof(struct sockaddr_in6, sin6_scope_id)', 24, SOCKADDR_IN6.scope],
  ['sizeof(struct sockaddr_un)', 110, SOCKADDR_UN.size],
  ['offsetof(struct sockaddr_un, sun_family)', 0, SOCKADDR_UN.family],
  ['offsetof(struct sockaddr_un, sun_path)', 2, SOCKADDR_UN.path],
  ['sizeof(struct ucred)', 12, UCRED.size],
  ['offsetof(struct ucred, pid)', 0, UCRED.pid],
  ['offsetof(struct ucred, uid)', 4, UCRED.user],
  ['sizeof(struct cmsghdr)', 16, CMSGHDR.size],
  ['offsetof(struct cmsghdr, cmsg_len)', 0, CMSGHDR.length],
  ['offsetof(struct cmsghdr, cmsg_level)', 8, CMSGHDR.level],
  ['offsetof(struct cmsghdr, cmsg_type)', 12, CMSGHDR.type],
  ['CMSG_ALIGN(1)', 8, CMSGHDR.align],
  ['sizeof(struct in_pktinfo)', 12, IN_PKTINFO.size],
  ['offsetof(struct in_pktinfo, ipi_ifindex)', 0, IN_PKTINFO.interfaceIndex],
  ['offsetof(struct in_pktinfo, ipi_spec_dst)', 4, IN_PKTINFO.local],
  ['offsetof(struct in_pktinfo, ipi_addr)', 8, IN_PKTINFO.destination],
  ['sizeof(struct in6_pktinfo)', 20, IN6_PKTINFO.size],
  ['offsetof(struct in6_pktinfo, ipi6_addr)', 0, IN6_PKTINFO.address],
  ['offsetof(struct in6_pktinfo, ipi6_ifindex)', 16, IN6_PKTINFO.interfaceIndex],
  ['sizeof(struct sock_extended_err)', 16, SOCK_EXTENDED_ERR.size],
  ['offsetof(struct sock_extended_err, ee_errno)', 0, SOCK_EXTENDED_ERR.errno],
  ['offsetof(struct sock_extended_err, ee_origin)', 4, SOCK_EXTENDED_ERR.origin],
  ['offsetof(struct sock_extended_err, ee_type)', 5, SOCK_EXTENDED_ERR.type],
  ['offsetof(struct sock_extended_err, ee_code)', 6, SOCK_EXTENDED_ERR.code],
  ['offsetof(struct sock_extended_err, ee_info)', 8, SOCK_EXTENDED_ERR.info],
  ['sizeof(struct sock_filter)', 8, SOCK_FILTER.size],
  ['offsetof(struct sock_filter, code)', 0, SOCK_FILTER.code],
  ['offsetof(struct sock_filter, jt)', 2, SOCK_FILTER.jumpTrue],
  ['offsetof(struct sock_filter, jf)', 3, SOCK_FILTER.jumpFalse],
  ['offsetof(struct sock_filter, k)', 4, SOCK_FILTER.operand],
  ['sizeof(struct sock_fprog)', 16, SOCK_FPROG.size],
  ['offsetof(struct sock_fprog, len)', 0, SOCK_FPROG.length],
  ['offsetof(struct sock_fprog, filter)', 8, SOCK_FPROG.filter],
];

const differing: Readonly<Record<layout.Arch, readonly Row[]>> = {
  x64: [
    ['sizeof(struct epoll_event)', 12, EPOLL_EVENT.x64.size],
    ['offsetof(struct epoll_event, events)', 0, EPOLL_EVENT.x64.events],
    ['offsetof(struct epoll_event, data)', 4, EPOLL_EVENT.x64.data],
    ['SYS_recvmmsg', 299, SYSCALL_NUMBERS.x64.recvmmsg],
    ['SYS_sendmmsg', 307, SYSCALL_NUMBERS.x64.sendmmsg],
  ],
  arm64: [
    ['sizeof(struct epoll_event)', 16, EPOLL_EVENT.arm64.size],
    ['offsetof(struct epoll_event, events)', 0, EPOLL_EVENT.arm64.events],
    ['offsetof(struct epoll_event, data)', 8, EPOLL_EVENT.arm64.data],
    ['SYS_recvmmsg', 243, SYSCALL_NUMBERS.arm64.recvmmsg],
    ['SYS_sendmmsg', 269, SYSCALL_NUMBERS.arm64.sendmmsg],
  ],
};

const { never, wanted, always, probe } = MTU_DISCOVER;

/** What has a name of its own in C: the name, and what the program believes. */
const named: readonly (readonly [string, number])[] = [
  ...Object.entries(constants),
  ...Object.entries(SOCKET_OPTIONS).map(([name, [, number]]) => [name, number] as const),
  ['IP_PMTUDISC_DONT', never],
  ['IP_PMTUDISC_WANT', wanted],
  ['IP_PMTUDISC_DO', always],
  ['IP_PMTUDISC_PROBE', probe],
  ['SO_EE_ORIGIN_NONE', ERROR_ORIGIN.none],
  ['SO_EE_ORIGIN_LOCAL', ERROR_ORIGIN.local],
  ['SO_EE_ORIGIN_ICMP', ERROR_ORIGIN.icmp],
  ['SO_EE_ORIGIN_ICMP6', ERROR_ORIGIN.icmp6],
];

function pairs(rows: readonly Row[], column: 1 | 2): (readonly [string, number])[] {
  return rows.map((row) => [row[0], row[column]] as const);
}

describe('the layouts of the kernel’s structs', () => {
  it.each(['x64', 'arm64'] as const)('are those recorded for %s', (arch) => {
    const rows = [...alike, ...differing[arch]];
    expect(pairs(rows, 2)).toEqual(pairs(rows, 1));
  });

  const isKnown = process.arch === 'x64' || process.arch === 'arm64';
  const skipped = missingCompiler() ?? (isKnown ? undefined : `no layouts for ${process.arch}`);

  it.skipIf(skipped !== undefined)('are those that the compiler here prints', () => {
    const rows = [...alike, ...differing[process.arch === 'arm64' ? 'arm64' : 'x64']];
    const values = valuesInC(rows.map(([expression]) => expression));
    expect(rows.map(([expression], index) => [expression, values[index]])).toEqual(pairs(rows, 1));
  });

  it.skipIf(skipped !== undefined)('go with numbers that the compiler here knows by name', () => {
    const values = valuesInC(named.map(([name]) => name));
    expect(named.map(([name], index) => [name, values[index]])).toEqual(named);
  });
});
