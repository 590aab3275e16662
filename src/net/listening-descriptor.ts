import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { SocketAddress } from 'node:net';
import { endianness } from 'node:os';
import type { Endpoint } from './net.ts';

/** The state of a socket that connections or datagrams can come to, in hexadecimal: TCP_LISTEN, TCP_CLOSE. */
const states = { tcp: '0A', udp: '07' } as const;

/**
 * The descriptor of a socket that this process listens with at `at`, opened by whichever thread; undefined if there is
 * none, or no Linux. Where several sockets share the address it is any one of them.
 */
export function listeningDescriptor(protocol: 'tcp' | 'udp', at: Endpoint): number | undefined {
  return listeningDescriptors(protocol, at)[0];
}

/** As `listeningDescriptor`: one descriptor for each socket. */
export function listeningDescriptors(protocol: 'tcp' | 'udp', at: Endpoint): number[] {
  const sockets = new Set(inodesAt(protocol, at).map((inode) => `socket:[${inode}]`));
  const descriptors = new Map<string, number>();
  for (const name of read(() => readdirSync('/proc/self/fd'), [])) {
    const target = read(() => readlinkSync(`/proc/self/fd/${name}`), '');
    if (sockets.has(target)) descriptors.set(target, Number(name));
  }
  return [...descriptors.values()];
}

/** As in /proc/net/udp: number, local address, remote one, state, queues, timer, retries, user, timeout, inode. */
function inodesAt(protocol: 'tcp' | 'udp', { address, port }: Endpoint): string[] {
  const numeric = address.replace(/%.*$/, '');
  const table = `/proc/net/${protocol}${numeric.includes(':') ? '6' : ''}`;
  const lines = read(() => readFileSync(table, 'utf8'), '')
    .split('\n')
    .slice(1);
  return lines.flatMap((line) => {
    const [, local = '', , state, , , , , , inode] = line.trim().split(/\s+/);
    const [ownAddress = '', ownPort = ''] = local.split(':');
    const isOwn = Number.parseInt(ownPort, 16) === port && addressOf(ownAddress) === numeric;
    return isOwn && state === states[protocol] && inode !== undefined ? [inode] : [];
  });
}

/** `words` of 32 bits in hexadecimal, each in the byte order of the machine. */
function addressOf(words: string): string {
  const bytes = Buffer.from(words, 'hex');
  if (endianness() === 'LE') bytes.swap32();
  if (bytes.length === 4) return bytes.join('.');
  const groups = Array.from({ length: 8 }, (_, at) => bytes.readUInt16BE(2 * at).toString(16));
  return new SocketAddress({ address: groups.join(':'), family: 'ipv6' }).address;
}

/** What is gone meanwhile, or is none of this system's, is `otherwise`. */
function read<T>(attempt: () => T, otherwise: T): T {
  try {
    return attempt();
  } catch {
    return otherwise;
  }
}
