/**
 * The VIP TIDs of one listener: a handful of sockets on the VIP that many sessions share. A session is known by its
 * socket and its client's address and port, so each client's sessions need sockets of their own, and nobody else's do.
 */
import { EndpointTable } from '../../net/endpoint-table.ts';
import { type Endpoint, NetError, type UdpHandlers, type UdpSocket } from '../../net/net.ts';
import type { OnStranger, VipTidOptions, VipTids } from '../../net/tids.ts';
import { DatagramSocket, type SocketUser } from './datagram-socket.ts';
import { datagramError, openSocket } from './open-socket.ts';
import type { Owner } from './outbox.ts';
import type { LoopParts } from './parts.ts';

/** Sockets among which sessions are spread before any is shared, so that a TID is no fixed port. */
const minSockets = 64;
/** Bytes of receive buffer, as far as the kernel lets: the windows of many uploads arrive at one socket. */
const receiveBuffer = 4_194_304;

/** Which ports of a `--tid-ports` range this thread may take: each `of`th, from the `first` on. */
export interface PortShare {
  readonly first: number;
  readonly of: number;
}

export class SharedVipTids implements VipTids {
  readonly #parts: LoopParts;
  readonly #options: VipTidOptions;
  readonly #onStranger: OnStranger;
  /** Ports of the operator's range that were not tried yet, in random order; undefined where there is no range. */
  readonly #ports: number[] | undefined;
  readonly #sockets: VipSocket[] = [];
  #next = 0;
  #lent = 0;
  #isClosed = false;

  constructor(
    parts: LoopParts,
    options: VipTidOptions,
    share: PortShare,
    random: () => number,
    onStranger: OnStranger,
  ) {
    this.#parts = parts;
    this.#options = options;
    this.#onStranger = onStranger;
    this.#ports = options.ports && shuffled(portsOf(options.ports, share), random);
  }

  lend(client: Endpoint, handlers: UdpHandlers): UdpSocket {
    if (this.#sockets.length < minSockets) this.#tryGrow();
    const socket = this.#free(client) ?? this.#grow();
    this.#lent += 1;
    return socket.lend(client, handlers, () => {
      this.#lent -= 1;
      if (this.#isClosed && this.#lent === 0) this.#closeSockets();
    });
  }

  close(): void {
    this.#isClosed = true;
    if (this.#lent === 0) this.#closeSockets();
  }

  /** The socket that has waited longest among those that the client has no session on. */
  #free(client: Endpoint): VipSocket | undefined {
    for (let tries = this.#sockets.length; tries > 0; tries--) {
      const socket = this.#sockets[this.#next];
      this.#next = (this.#next + 1) % this.#sockets.length;
      if (socket && !socket.isLentTo(client)) return socket;
    }
    return undefined;
  }

  /** Those that are there will do if there can be no more. */
  #tryGrow(): void {
    try {
      this.#grow();
    } catch (error) {
      if (!(error instanceof NetError) || this.#sockets.length === 0) throw error;
    }
  }

  #grow(): VipSocket {
    const socket = new VipSocket(this.#parts, this.#openFd(), this.#onStranger);
    // The next one in turn.
    this.#sockets.splice(this.#next, 0, socket);
    return socket;
  }

  /** Throws NetError. */
  #openFd(): number {
    const { libc } = this.#parts;
    const { address, ports } = this.#options;
    if (!this.#ports || !ports) return openSocket(libc, { address, port: 0, receiveBuffer });
    for (let port = this.#ports.pop(); port !== undefined; port = this.#ports.pop()) {
      try {
        return openSocket(libc, { address, port, receiveBuffer });
      } catch (error) {
        if (!(error instanceof NetError) || error.code !== 'TLB_ERR_ADDRESS_IN_USE') throw error;
      }
    }
    throw new NetError('TLB_ERR_NO_PORTS', `no free port from ${ports.first} to ${ports.last}`);
  }

  #closeSockets(): void {
    for (const socket of this.#sockets.splice(0)) socket.close();
  }
}

/** One socket of the pool. */
class VipSocket implements SocketUser {
  readonly #socket: DatagramSocket;
  readonly #leases = new EndpointTable<UdpHandlers>();
  readonly #onStranger: OnStranger;
  /** Answers those whom the socket was not lent for. */
  readonly #answering: UdpSocket;

  constructor(parts: LoopParts, fd: number, onStranger: OnStranger) {
    this.#socket = new DatagramSocket(parts, fd, false, this);
    this.#onStranger = onStranger;
    const { address, port } = this.#socket;
    this.#answering = {
      address,
      port,
      send: (data, toPort, toAddress) => this.#socket.send(data, toPort, toAddress, this),
      close: () => undefined,
    };
  }

  isLentTo({ port, address }: Endpoint): boolean {
    return this.#leases.get(port, address) !== undefined;
  }

  lend(client: Endpoint, handlers: UdpHandlers, onClosed: () => void): UdpSocket {
    this.#leases.set(client.port, client.address, handlers);
    return new VipLease(this.#socket, handlers, () => {
      this.#leases.delete(client.port, client.address);
      onClosed();
    });
  }

  onDatagram(data: Uint8Array, port: number, address: string): void {
    const handlers = this.#leases.get(port, address);
    if (handlers) handlers.onDatagram(data, port, address);
    else this.#onStranger(this.#answering, data, port, address);
  }

  onRefused(): void {}

  /** What strangers are told matters to nobody here. */
  onUnsent(): void {}

  close(): void {
    this.#socket.close();
  }
}

/** The TID of one session. */
class VipLease implements UdpSocket, Owner {
  readonly #socket: DatagramSocket;
  readonly #handlers: UdpHandlers;
  /** Undefined once it is closed. */
  #giveBack: (() => void) | undefined;

  constructor(socket: DatagramSocket, handlers: UdpHandlers, giveBack: () => void) {
    this.#socket = socket;
    this.#handlers = handlers;
    this.#giveBack = giveBack;
  }

  get address(): string {
    return this.#socket.address;
  }

  get port(): number {
    return this.#socket.port;
  }

  send(data: Uint8Array, port: number, address: string): void {
    if (this.#giveBack) this.#socket.send(data, port, address, this);
  }

  onUnsent(errno: number): void {
    if (!this.#giveBack) return;
    this.#handlers.onError(datagramError(errno, `cannot send from ${this.address} port ${this.port}`));
  }

  close(): void {
    const giveBack = this.#giveBack;
    this.#giveBack = undefined;
    giveBack?.();
  }
}

function portsOf(range: { readonly first: number; readonly last: number }, share: PortShare): number[] {
  const count = range.last - range.first + 1;
  const ports = Array.from({ length: count }, (_, index) => range.first + index);
  return ports.filter((port) => (port - range.first) % share.of === share.first % share.of);
}

/** Fisher and Yates. */
function shuffled(values: number[], random: () => number): number[] {
  for (let last = values.length - 1; last > 0; last--) {
    const chosen = Math.floor(random() * (last + 1));
    [values[last], values[chosen]] = [values[chosen] ?? 0, values[last] ?? 0];
  }
  return values;
}
