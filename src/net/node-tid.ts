/**
 * A TID that hears ICMP refusals. The kernel tells those to connected sockets alone, and a connected socket hears
 * nobody but its peer's request port, while a TFTP server answers from a new one (RFC 1350 section 4). So two
 * sockets share one local port:
 *
 *   narrow  connected to the peer's request port: sends the request, hears refusals and replies from that port
 *   wide    unconnected: sends to and hears every other port
 */
import type { Socket } from 'node:dgram';
import { NetError, type Endpoint, type TidHandlers, type TidSocket } from './net.ts';
import { connectNow, endpointOf, familyOf, openDgram, type DgramOptions } from './node-dgram.ts';
import { errnoOf, toNetError } from './node-errors.ts';
import type { DatagramSender } from './node-sender.ts';
import type { PortAllocator } from './port-allocator.ts';

/** Ports that other programs may hold before the search is given up. */
const maxTries = 64;

/** Binary logarithm of the longest step past ports that other programs hold. */
const maxStep = 12;

/** What the peer's side answers with, once ICMP has become a socket error (RFC 1122 section 4.1.3.3). */
const refusals: readonly string[] = [
  'ECONNREFUSED',
  'EHOSTUNREACH',
  'EHOSTDOWN',
  'ENETUNREACH',
  'ENOPROTOOPT',
];

/** Opens TIDs on ports of `ports`, which is for one family alone. */
export interface NodeTidOptions {
  readonly ports: PortAllocator;
  readonly sender: DatagramSender;
  /** Of each socket, in bytes; the system's default if undefined. */
  readonly receiveBuffer: number | undefined;
}

/** Throws NetError; nothing stays open then. */
export function openNodeTid(peer: Endpoint, handlers: TidHandlers, options: NodeTidOptions): TidSocket {
  const { ports, sender } = options;
  for (let tries = 0; tries < maxTries; tries++) {
    // A program that holds many ports, as another balancer, has them in a row: the steps grow.
    const port = ports.take(tries === 0 ? 0 : 2 ** Math.min(tries, maxStep));
    if (port === undefined) break;
    try {
      const pair = openPair(port, peer, options.receiveBuffer);
      return new NodeTidSocket(pair, peer, sender, handlers, () => ports.giveBack(port));
    } catch (error) {
      ports.giveBack(port);
      if (!(error instanceof NetError) || error.code !== 'TLB_ERR_ADDRESS_IN_USE') throw error;
    }
  }
  throw new NetError('TLB_ERR_NO_PORTS', `cannot open a port towards ${peer.address}: no free port is left`);
}

interface Pair {
  readonly wide: Socket;
  readonly narrow: Socket;
}

function openPair(port: number, peer: Endpoint, receiveBuffer: number | undefined): Pair {
  const at = { address: familyOf(peer.address) === 6 ? '::' : '0.0.0.0', port, receiveBuffer };
  // A shared bind succeeds beside any other shared socket, also another program's: an exclusive one tells.
  openDgram({ ...at, shared: false }).close();
  const wide = openDgram({ ...at, shared: true });
  try {
    return { wide, narrow: openConnected({ ...at, shared: true }, peer) };
  } catch (error) {
    wide.close();
    throw error;
  }
}

function openConnected(options: DgramOptions, peer: Endpoint): Socket {
  const socket = openDgram(options);
  try {
    connectNow(socket, peer);
    return socket;
  } catch (error) {
    socket.close();
    throw error;
  }
}

class NodeTidSocket implements TidSocket {
  readonly address: string;
  readonly port: number;
  readonly #wide: Socket;
  /** Undefined once it is closed. */
  #narrow: Socket | undefined;
  readonly #peer: Endpoint;
  readonly #sender: DatagramSender;
  readonly #handlers: TidHandlers;
  readonly #release: () => void;
  #open = true;

  constructor(
    pair: Pair,
    peer: Endpoint,
    sender: DatagramSender,
    handlers: TidHandlers,
    release: () => void,
  ) {
    ({ address: this.address, port: this.port } = endpointOf(pair.wide));
    this.#wide = pair.wide;
    this.#narrow = pair.narrow;
    this.#peer = peer;
    this.#sender = sender;
    this.#handlers = handlers;
    this.#release = release;
    for (const socket of [pair.wide, pair.narrow]) {
      socket.on('message', (data, from) => handlers.onDatagram(data, from.port, from.address));
    }
    pair.wide.on('error', (error) => this.#fail(error, 'cannot receive at'));
    pair.narrow.on('error', (error) => this.#failOrRefuse(error, 'cannot receive at'));
  }

  send(data: Uint8Array, port: number, address: string): void {
    if (!this.#open) return;
    if (this.#narrow !== undefined && port === this.#peer.port && address === this.#peer.address) {
      this.#sender.send(this.#narrow, data, undefined, this.#onNarrowSent);
    } else {
      this.#sender.send(this.#wide, data, { port, address }, this.#onWideSent);
    }
  }

  pinned(peerPort: number): void {
    // A peer that answers from its request port is heard on the narrow socket, which may hold more of it already.
    if (peerPort !== this.#peer.port) this.#closeNarrow();
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#closeNarrow();
    this.#wide.close();
    this.#release();
  }

  #closeNarrow(): void {
    this.#narrow?.close();
    this.#narrow = undefined;
  }

  readonly #onWideSent = (error: Error | null): void => {
    if (error !== null) this.#fail(error, 'cannot send from');
  };

  readonly #onNarrowSent = (error: Error | null): void => {
    if (error !== null) this.#failOrRefuse(error, 'cannot send from');
  };

  #failOrRefuse(error: Error, attempt: string): void {
    if (!refusals.includes(errnoOf(error))) this.#fail(error, attempt);
    else if (this.#narrow !== undefined) this.#handlers.onRefused();
  }

  #fail(error: Error, attempt: string): void {
    if (this.#open) this.#handlers.onError(toNetError(error, `${attempt} ${this.address} port ${this.port}`));
  }
}
