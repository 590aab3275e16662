/** The nets on which a TFTP engine runs on this host, for tests that must not know which one they have. */
import type { Libc } from '../../src/linux/libc.ts';
import { loadLibc } from '../../src/linux/load-libc.ts';
import { LinuxNet, type LinuxNetOptions } from '../../src/linux/net/linux-net.ts';
import { probe } from '../../src/linux/probe.ts';
import { createNodeNet } from '../../src/net/node-net.ts';
import { withOwnTids } from '../../src/net/own-tids.ts';
import type { TidNet } from '../../src/net/tids.ts';
import { strict } from './peers.ts';

export interface OpenTidNet {
  readonly net: TidNet;
  /** Sockets that an engine with one listener may keep for sessions to come, once it has none. */
  readonly keptSockets: number;
  /** To be called when all that was opened on the net is closed. */
  close(): void;
}

export interface TidNetKind {
  /** With the reason where the kind is not available. */
  readonly name: string;
  readonly isSkipped: boolean;
  open(): OpenTidNet;
}

const libc = loadLibc();
const reason = libc.kind === 'unavailable' ? libc.reason : probe(libc.libc);
/** On Linux the system calls are there, so a run that nobody watches fails rather than leave out half of its tests. */
const isRequired = process.platform === 'linux' && strict;

/** For skipIf: the system calls of the Linux net are not available. */
export const isLinuxSkipped: boolean = reason !== undefined && !isRequired;

/** Call it only where `isLinuxSkipped` is false. */
export function linuxLibc(): Libc {
  if (libc.kind === 'unavailable' || reason !== undefined) throw new Error(reason);
  return libc.libc;
}

/** In this thread, beside everything else that happens in it. */
export function openLinuxNet(options: Partial<LinuxNetOptions> = {}): LinuxNet {
  const net = new LinuxNet(linuxLibc(), { busyPoll: 0, maxWait: 1, maxHold: 0, ...options });
  net.loop.start();
  return net;
}

export const tidNets: readonly TidNetKind[] = [
  {
    name: 'TIDs of their own on the node net',
    isSkipped: false,
    open: () => ({ net: withOwnTids(createNodeNet()), keptSockets: 0, close: () => undefined }),
  },
  {
    name: isLinuxSkipped ? `the Linux net (${reason})` : 'the Linux net',
    isSkipped: isLinuxSkipped,
    open: () => {
      const net = openLinuxNet();
      return { net, keptSockets: 128, close: () => net.close() };
    },
  },
];
