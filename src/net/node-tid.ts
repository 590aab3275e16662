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
import { connectNow, endpointOf, familyOf, openDgram } from './node-dgram.ts';
import { errnoOf, toNetError } from './node-errors.ts';
import { sendNow } from './node-udp.ts';
import type { PortAllocator } from './port-allocator.ts';

/** Ports in a row that other programs may hold before the search is given up. */
const maxTries = 64;

/** What the peer's side answers with, once ICMP has become a socket error (RFC 1122 section 4.1.3.3). */
const refusals: readonly string[] = [
  'ECONNREFUSED',
  'EHOSTUNREACH',
  'EHOSTDOWN',
  'ENETUNREACH',
  'ENOPROTOOPT',
];

/** Throws NetError; nothing stays open then. */
export function openNodeTid(
  peer: Endpoint,
  handlers: TidHandlers,
  ports: PortAllocator,
  receiveBuffer: number | undefined,
): TidSocket {
  for (let tries = 0; tries < maxTries; tries++) {
    const port = ports.take();
    if (port === undefined) break;
    try {
      const pair = openPair(port, peer, receiveBuffer);
      return new NodeTidSocket(pair, peer, handlers, () => ports.giveBack(port));
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
  const address = familyOf(peer.address) === 6 ? '::' : '0.0.0.0';
  const at = { address, port, ...(receiveBuffer === undefined ? {} : { receiveBuffer }) };
  // A shared bind succeeds beside any other shared socket, also another program's: an exclusive one tells.
  openDgram({ address, port, shared: false }).close();
  const opened: Socket[] = [];
  try {
    const wide = openDgram({ ...at, shared: true });
    opened.push(wide);
    const narrow = openDgram({ ...at, shared: true });
    opened.push(narrow);
    connectNow(narrow, peer);
    return { wide, narrow };
  } catch (error) {
    for (const socket of opened) socket.close();
    throw error;
  }
}

class NodeTidSocket implements TidSocket {
  readonly address: string;
  readonly port: number;
  readonly #wide: Socket;
  #narrow: Socket | undefined;
  readonly #peer: Endpoint;
  readonly #handlers: TidHandlers;
  readonly #release: () => void;
  #open = true;

  constructor({ wide, narrow }: Pair, peer: Endpoint, handlers: TidHandlers, release: () => void) {
    ({ address: this.address, port: this.port } = endpointOf(wide));
    this.#wide = wide;
    this.#narrow = narrow;
    this.#peer = peer;
    this.#handlers = handlers;
    this.#release = release;
    for (const socket of [wide, narrow]) {
      socket.on('message', (data, from) => {
        if (this.#open) handlers.onDatagram(data, from.port, from.address);
      });
    }
    wide.on('error', this.#onWideError);
    narrow.on('error', this.#onNarrowError);
  }

  send(data: Uint8Array, port: number, address: string): void {
    if (!this.#open) return;
    if (this.#narrow !== undefined && port === this.#peer.port && address === this.#peer.address) {
      sendNow(this.#narrow, data, undefined, this.#onNarrowSent);
    } else {
      sendNow(this.#wide, data, { port, address }, this.#onWideSent);
    }
  }

  pinned(peerPort: number): void {
    // A peer that answers from its request port is heard on the narrow socket, which may hold more of it already.
    if (peerPort === this.#peer.port) return;
    this.#narrow?.close();
    this.#narrow = undefined;
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#narrow?.close();
    this.#wide.close();
    this.#release();
  }

  readonly #onWideError = (error: Error): void => this.#fail(error);

  readonly #onWideSent = (error: Error | null): void => {
    if (error !== null) this.#fail(error);
  };

  readonly #onNarrowSent = (error: Error | null): void => {
    if (error !== null) this.#onNarrowError(error);
  };

  readonly #onNarrowError = (error: Error): void => {
    if (!refusals.includes(errnoOf(error))) this.#fail(error);
    else if (this.#open && this.#narrow !== undefined) this.#handlers.onRefused();
  };

  #fail(error: Error): void {
    if (!this.#open) return;
    const attempt = `the session port ${this.port} failed`;
    this.#handlers.onError(error instanceof NetError ? error : toNetError(error, attempt));
  }
}
