import { Arena } from './arena.ts';
import { SO_ATTACH_REUSEPORT_CBPF, SOL_SOCKET } from './constants.ts';
import { SOCK_FILTER, SOCK_FPROG } from './layout.ts';
import type { Libc } from './libc.ts';
import { checked } from './syscall-error.ts';

/** An instruction by networking/filter.rst of the kernel: what it does, its jumps (instructions to skip if true, if false), its operand. */
type Instruction = readonly [code: number, jumpTrue: number, jumpFalse: number, operand: number];

const LD_W_ABS = 0x20;
const LD_B_ABS = 0x30;
const AND_K = 0x54;
const XOR_X = 0xac;
const MUL_K = 0x24;
const RSH_K = 0x74;
const MOD_K = 0x94;
const JA = 0x05;
const JEQ_K = 0x15;
const TAX = 0x07;
const RET_A = 0x16;

/**
 * SKF_NET_OFF: offsets from here on count from the IP header. A program of a group sees the data from the UDP payload on
 * (run_bpf_filter in net/core/sock_reuseport.c), so there is no other way to the addresses.
 */
const IP_HEADER = 0xfff00000;
const SOURCE4 = IP_HEADER + 12;
const SOURCE6 = IP_HEADER + 8;

/** 2^32 divided by the golden ratio: spreads neighbouring addresses over the upper bits of the product. */
const MULTIPLIER = 0x9e3779b1;

/** Leaves the four words of an IPv6 source address in A, folded into one. */
const source6: readonly Instruction[] = [
  [LD_W_ABS, 0, 0, SOURCE6],
  ...[4, 8, 12].flatMap((offset): Instruction[] => [
    [MUL_K, 0, 0, MULTIPLIER],
    [TAX, 0, 0, 0],
    [LD_W_ABS, 0, 0, SOURCE6 + offset],
    [XOR_X, 0, 0, 0],
  ]),
];

/** Leaves the IPv4 source address in A. */
const source4: readonly Instruction[] = [
  [LD_W_ABS, 0, 0, SOURCE4],
  [JA, 0, 0, source6.length],
];

function programFor(sockets: number): readonly Instruction[] {
  return [
    [LD_B_ABS, 0, 0, IP_HEADER],
    [AND_K, 0, 0, 0xf0],
    [JEQ_K, source4.length, 0, 0x60],
    ...source4,
    ...source6,
    [MUL_K, 0, 0, MULTIPLIER],
    [RSH_K, 0, 0, 16],
    [MOD_K, 0, 0, sockets],
    [RET_A, 0, 0, 0],
  ];
}

/**
 * Makes all datagrams from one address reach one socket of a group, as long as the group has `sockets` of them. `fd` is
 * any socket with SO_REUSEPORT; the program holds for its whole group, whose sockets count in the order in which they
 * were bound. Throws SyscallError, and RangeError if `sockets` is not from 1 to 65,535.
 */
export function steerBySource(libc: Libc, fd: number, sockets: number): void {
  if (!Number.isInteger(sockets) || sockets < 1 || sockets > 0xffff) {
    throw new RangeError(`a group of ${sockets} sockets`);
  }
  const program = programFor(sockets);
  const filter = new Arena(libc, program.length * SOCK_FILTER.size);
  for (const [index, [code, jumpTrue, jumpFalse, operand]] of program.entries()) {
    const at = index * SOCK_FILTER.size;
    filter.view.setUint16(at + SOCK_FILTER.code, code, true);
    filter.view.setUint8(at + SOCK_FILTER.jumpTrue, jumpTrue);
    filter.view.setUint8(at + SOCK_FILTER.jumpFalse, jumpFalse);
    filter.view.setUint32(at + SOCK_FILTER.operand, operand, true);
  }
  const header = new Arena(libc, SOCK_FPROG.size);
  header.view.setUint16(SOCK_FPROG.length, program.length, true);
  header.setPointer(SOCK_FPROG.filter, filter, 0, filter.bytes.byteLength);
  const result = libc.setsockopt(fd, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, header.bytes);
  checked('setsockopt SO_ATTACH_REUSEPORT_CBPF', result);
}
