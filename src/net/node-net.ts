import { readSystemLimits } from './limits.ts';
import type { Net } from './net.ts';
import { familyOf } from './node-dgram.ts';
import { localAddresses, lookupHost, mtuOf } from './node-host.ts';
import { openNodeTid } from './node-tid.ts';
import { monotonicNow, startTimer } from './node-timer.ts';
import { bindNodeUdp } from './node-udp.ts';
import { createPortTable, PortAllocator } from './port-allocator.ts';
import { createSecureRandom } from './secure-random.ts';

export interface NodeNetOptions {
  /** Uniform in [0, 1); from the system's entropy if left out. */
  readonly random?: () => number;
  /** Tables of createPortTable that TIDs take their ports from, one per family; threads may share them. */
  readonly tidPorts?: { readonly ipv4: SharedArrayBuffer; readonly ipv6: SharedArrayBuffer };
  /** Receive buffer of each TID in bytes; the system's default if left out. */
  readonly tidReceiveBuffer?: number;
}

/** The operating system's network. Sockets and timers keep the process alive until they are closed or cancelled. */
export function createNodeNet(options: NodeNetOptions = {}): Net {
  const random = options.random ?? createSecureRandom();
  const span = readSystemLimits().ephemeralPorts;
  const ports = {
    4: new PortAllocator(options.tidPorts?.ipv4 ?? createPortTable(span, random)),
    6: new PortAllocator(options.tidPorts?.ipv6 ?? createPortTable(span, random)),
  };
  return {
    now: monotonicNow,
    setTimer: (delay, callback) => startTimer(monotonicNow, delay, callback),
    bindUdp: bindNodeUdp,
    openTid: (peer, handlers) =>
      openNodeTid(peer, handlers, ports[familyOf(peer.address)], options.tidReceiveBuffer),
    localAddresses,
    mtuOf,
    lookup: lookupHost,
    random,
  };
}
