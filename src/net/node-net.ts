import { readSystemLimits } from './limits.ts';
import type { Endpoint, Net } from './net.ts';
import { familyOf, openDgram } from './node-dgram.ts';
import { localAddresses, lookupHost, mtuOf } from './node-host.ts';
import { DatagramSender } from './node-sender.ts';
import { connectNodeTcp } from './node-tcp-connect.ts';
import { listenNodeTcp } from './node-tcp-listen.ts';
import { openNodeTid } from './node-tid.ts';
import { monotonicNow, startTimer } from './node-timer.ts';
import { NodeUdpSocket } from './node-udp.ts';
import { createPortTable, PortAllocator } from './port-allocator.ts';
import { createSecureRandom } from './secure-random.ts';

export interface NodeNetOptions {
  /** Uniform in [0, 1); from the system's entropy if left out. */
  readonly random?: () => number;
  /** What TIDs take their ports from; made anew if left out. */
  readonly tidPorts?: TidPorts;
  /** Whom these ports are lent to, 1 or more: one number for each net that shares them; 1 if left out. */
  readonly portHolder?: number;
  /** A socket that listens at an address already, which is used in place of another one and closed with it. */
  readonly inherit?: (at: Endpoint) => number | undefined;
}

/** Tables of createPortTable, one per family; threads may share them. */
export interface TidPorts {
  readonly ipv4: SharedArrayBuffer;
  readonly ipv6: SharedArrayBuffer;
}

/** The ports that the system has for sockets without a port of their own. */
export function createTidPorts(random: () => number = createSecureRandom()): TidPorts {
  const { ephemeralPorts, reservedPorts } = readSystemLimits();
  return {
    ipv4: createPortTable(ephemeralPorts, random, reservedPorts),
    ipv6: createPortTable(ephemeralPorts, random, reservedPorts),
  };
}

/** The holder is gone with its sockets: its ports are free. */
export function releaseTidPorts({ ipv4, ipv6 }: TidPorts, holder: number): void {
  for (const table of [ipv4, ipv6]) new PortAllocator(table, holder).giveBackAll();
}

/** The operating system's network. Sockets and timers keep the process alive until they are closed or cancelled. */
export function createNodeNet(options: NodeNetOptions = {}): Net {
  const random = options.random ?? createSecureRandom();
  const sender = new DatagramSender();
  const { ipv4, ipv6 } = options.tidPorts ?? createTidPorts(random);
  const ports = {
    4: new PortAllocator(ipv4, options.portHolder),
    6: new PortAllocator(ipv6, options.portHolder),
  };
  return {
    now: monotonicNow,
    setTimer: (delay, callback) => startTimer(monotonicNow, delay, callback),
    bindUdp: ({ address, port, receiveBuffer, reusePort = false }, handlers) => {
      const socket = openDgram({ address, port, receiveBuffer, shared: false, reusePort });
      return new NodeUdpSocket(socket, sender, handlers);
    },
    openTid: (peer, handlers, receiveBuffer) =>
      openNodeTid(peer, handlers, { ports: ports[familyOf(peer.address)], sender, receiveBuffer }),
    listenTcp: (at, handlers) => listenNodeTcp(at, handlers, options.inherit?.(at)),
    connectTcp: connectNodeTcp,
    localAddresses,
    mtuOf,
    lookup: lookupHost,
    random,
  };
}
