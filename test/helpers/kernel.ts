/** What Linux knows of sockets: which ports a process holds, and what waits to be read. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

interface Entry {
  /** Hexadecimal, as the kernel has it. */
  readonly address: string;
  readonly port: number;
  /** Bytes that nobody has read yet. */
  readonly queued: number;
  readonly inode: string;
}

/** Columns of /proc/net/udp and the like: sl, local address:port, remote, state, tx:rx queue, timer, retransmits, uid, timeout, inode. */
function entryOf(line: string): Entry | undefined {
  const [, local, , , queues, , , , , inode] = line.trim().split(/\s+/u);
  const [address = '', port] = local?.split(':') ?? [];
  const queued = queues?.split(':').at(-1);
  if (port === undefined || queued === undefined || inode === undefined) return undefined;
  return { address, port: Number.parseInt(port, 16), queued: Number.parseInt(queued, 16), inode };
}

function entriesOf(protocol: 'tcp' | 'udp'): Entry[] {
  const files = [`/proc/net/${protocol}`, `/proc/net/${protocol}6`];
  const tables = files.map((file) => readFileSync(file, 'utf8'));
  const lines = tables.flatMap((table) => table.trim().split('\n').slice(1));
  return lines.map((line) => entryOf(line)).filter((entry) => entry !== undefined);
}

/** The target of a descriptor; empty if it has been closed since. */
function targetOf(link: string): string {
  try {
    return readlinkSync(link);
  } catch {
    return '';
  }
}

/** The UDP ports that a process holds now. */
export function udpPortsOf(pid: number): number[] {
  return portsOf(pid, 'udp');
}

/** Those of an IPv4 address of this host alone. */
export function udpPortsAt(pid: number, address: string): number[] {
  const octets = address.split('.').map((octet) => Number(octet).toString(16).padStart(2, '0'));
  return portsOf(pid, 'udp', octets.toReversed().join('').toUpperCase());
}

/** The local TCP ports that a process holds now. */
export function tcpPortsOf(pid: number): number[] {
  return portsOf(pid, 'tcp');
}

/** The names of a process's threads. */
export function threadsOf(pid: number): string[] {
  const folder = `/proc/${pid}/task`;
  return readdirSync(folder).map((thread) => readFileSync(`${folder}/${thread}/comm`, 'utf8').trim());
}

function portsOf(pid: number, protocol: 'tcp' | 'udp', address?: string): number[] {
  const folder = `/proc/${pid}/fd`;
  const sockets = new Set(readdirSync(folder).map((descriptor) => targetOf(`${folder}/${descriptor}`)));
  return entriesOf(protocol)
    .filter((entry) => sockets.has(`socket:[${entry.inode}]`))
    .filter((entry) => address === undefined || entry.address === address)
    .map(({ port }) => port);
}

/** Bytes that wait in the sockets bound to `port`. */
export function queuedAt(port: number): number {
  return entriesOf('udp')
    .filter((entry) => entry.port === port)
    .reduce((sum, { queued }) => sum + queued, 0);
}
