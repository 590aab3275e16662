import { familyOfText, isPort, maxPayload } from './memory-address.ts';
import {
  NetError,
  type Endpoint,
  type TidHandlers,
  type TidSocket,
  type UdpBinding,
  type UdpHandlers,
  type UdpSocket,
} from './net.ts';

/** What a socket needs of its host. */
export interface SocketHome {
  /** Puts a datagram on its way, or tells why it cannot. `onRefused` as in MemoryUdpSocket.sendTo. */
  transmit(
    from: Endpoint,
    to: Endpoint,
    data: Uint8Array,
    onRefused: (() => void) | undefined,
  ): NetError | undefined;
  /** Calls back as soon as the present call has returned. */
  soon(callback: () => void): void;
  /** The socket is closed: its port is free. */
  forget(socket: MemoryUdpSocket): void;
}

export class MemoryUdpSocket implements UdpSocket {
  readonly address: string;
  readonly port: number;
  readonly reusePort: boolean;
  /** What the host counts against its limit. */
  descriptors = 1;
  readonly #family: 4 | 6;
  readonly #home: SocketHome;
  readonly #handlers: UdpHandlers;
  #open = true;

  constructor(home: SocketHome, at: UdpBinding, handlers: UdpHandlers) {
    this.address = at.address;
    this.port = at.port;
    this.reusePort = at.reusePort ?? false;
    this.#family = familyOfText(at.address) === 6 ? 6 : 4;
    this.#home = home;
    this.#handlers = handlers;
  }

  get open(): boolean {
    return this.#open;
  }

  send(data: Uint8Array, port: number, address: string): void {
    this.sendTo({ address, port }, data, undefined);
  }

  /** `onRefused` is called if nobody listens there and the news gets through while the socket is open. */
  sendTo(to: Endpoint, data: Uint8Array, onRefused: (() => void) | undefined): void {
    if (!this.#open) return;
    const error = this.#objection(to, data) ?? this.#home.transmit(this, to, data, onRefused);
    if (error !== undefined) this.#home.soon(() => this.#fail(error));
  }

  receive(data: Uint8Array, from: Endpoint): void {
    this.#handlers.onDatagram(data, from.port, from.address);
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#home.forget(this);
  }

  #fail(error: NetError): void {
    if (this.#open) this.#handlers.onError(error);
  }

  #objection(to: Endpoint, data: Uint8Array): NetError | undefined {
    const { address, port } = to;
    if (!isPort(port) || port === 0 || familyOfText(address) !== this.#family) {
      return new NetError('TLB_ERR_SOCKET', `cannot send: "${address}" port ${port} is no destination`);
    }
    if (data.length <= maxPayload(this.#family)) return undefined;
    return new NetError('TLB_ERR_MESSAGE_TOO_LONG', 'cannot send: the datagram is too long');
  }
}

export class MemoryTidSocket implements TidSocket {
  readonly #socket: MemoryUdpSocket;
  readonly #peer: Endpoint;
  readonly #handlers: TidHandlers;
  #hearsRefusals = true;

  /** `socket` has the same handlers. */
  constructor(socket: MemoryUdpSocket, peer: Endpoint, handlers: TidHandlers) {
    this.#socket = socket;
    this.#peer = peer;
    this.#handlers = handlers;
  }

  get address(): string {
    return this.#socket.address;
  }

  get port(): number {
    return this.#socket.port;
  }

  send(data: Uint8Array, port: number, address: string): void {
    const toRequestPort = port === this.#peer.port && address === this.#peer.address;
    this.#socket.sendTo({ address, port }, data, toRequestPort ? this.#onRefused : undefined);
  }

  pinned(peerPort: number): void {
    if (peerPort === this.#peer.port) return;
    this.#hearsRefusals = false;
    this.#socket.descriptors = 1;
  }

  close(): void {
    this.#socket.close();
  }

  readonly #onRefused = (): void => {
    if (this.#hearsRefusals && this.#socket.open) this.#handlers.onRefused();
  };
}
