import { readSystemLimits } from './limits.ts';
import type { Net } from './net.ts';
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
  /** Tables of createPortTable that TIDs take their ports from, one per family; threads may share them. */
  readonly tidPorts?: { readonly ipv4: SharedArrayBuffer; readonly ipv6: SharedArrayBuffer };
}

/** The operating system's network. Sockets and timers keep the process alive until they are closed or cancelled. */
export function createNodeNet(options: NodeNetOptions = {}): Net {
  const random = options.random ?? createSecureRandom();
  const sender = new DatagramSender();
  const { ephemeralPorts, reservedPorts } = readSystemLimits();
  const portsFrom = (table: SharedArrayBuffer | undefined): PortAllocator =>
    new PortAllocator(table ?? createPortTable(ephemeralPorts, random, reservedPorts));
  const ports = { 4: portsFrom(options.tidPorts?.ipv4), 6: portsFrom(options.tidPorts?.ipv6) };
  return {
    now: monotonicNow,
    setTimer: (delay, callback) => startTimer(monotonicNow, delay, callback),
    bindUdp: ({ address, port, receiveBuffer }, handlers) =>
      new NodeUdpSocket(openDgram({ address, port, receiveBuffer, shared: false }), sender, handlers),
    openTid: (peer, handlers, receiveBuffer) =>
      openNodeTid(peer, handlers, { ports: ports[familyOf(peer.address)], sender, receiveBuffer }),
    listenTcp: listenNodeTcp,
    connectTcp: connectNodeTcp,
    localAddresses,
    mtuOf,
    lookup: lookupHost,
    random,
  };
}
