import type { Endpoint, TidHandlers, UdpSocket } from '../../net/net.ts';
import type { BackendTid, MovedBackendTid, OnStranger } from '../../net/tids.ts';
import { ECONNREFUSED } from '../constants.ts';
import { DatagramSocket, type SocketUser } from './datagram-socket.ts';
import { isRefusal } from './network-errors.ts';
import { datagramError, openSocket } from './open-socket.ts';
import type { Owner } from './outbox.ts';
import type { LoopParts } from './parts.ts';

/** Bytes of receive buffer, as far as the kernel lets: the windows of several downloads arrive at one socket. */
const receiveBuffer = 4_194_304;

/** Where the sockets of a pool are bound, and who is told what becomes of them. */
export interface SocketSource {
  /** Unspecified, or that of a client, which this host need not have (IP_TRANSPARENT). */
  readonly address: string;
  /** Whether a socket from here is lent to one session at a time. */
  readonly isAlone: boolean;
  readonly onStranger: OnStranger;
  /** The session that was served at `peerAddress` is done with the socket. */
  readonly onGivenBack: (socket: BackendSocket, peerAddress: string) => void;
}

/** One backend-facing socket, lent to one session for each address of a backend. */
export class BackendSocket implements SocketUser {
  readonly #socket: DatagramSocket;
  readonly #later: (callback: () => void) => void;
  readonly #leases = new Map<string, BackendLease>();
  /** Whom it is lent to if that one hears everybody. */
  #sole: BackendLease | undefined;
  readonly #source: SocketSource;
  readonly #answering: UdpSocket;

  /** Opens one, or takes over `fd`. Throws NetError, having closed it. */
  constructor(parts: LoopParts, source: SocketSource, fd: number = open(parts, source)) {
    const { address } = source;
    this.#socket = new DatagramSocket(parts, fd, true, this);
    this.#later = (callback) => parts.loop.later(callback);
    this.#source = source;
    this.#answering = {
      address,
      port: this.#socket.port,
      send: (data, port, to) => this.#socket.send(data, port, to, unheard),
      close: () => undefined,
    };
  }

  get fd(): number {
    return this.#socket.fd;
  }

  get isAlone(): boolean {
    return this.#source.isAlone;
  }

  get address(): string {
    return this.#socket.address;
  }

  get port(): number {
    return this.#socket.port;
  }

  /** The session hears the peer's address, or everybody if it is the `sole` one. */
  lend(peer: Endpoint, handlers: TidHandlers, sole: boolean, moved?: MovedBackendTid): BackendTid {
    const lease = new BackendLease(this, peer, handlers, moved);
    this.#leases.set(peer.address, lease);
    if (sole) this.#sole = lease;
    return lease;
  }

  /** Whether the session hears everybody. */
  isSole(lease: BackendLease): boolean {
    return this.#sole === lease;
  }

  giveBack(lease: BackendLease): void {
    const { address } = lease.peer;
    this.#leases.delete(address);
    this.#sole = undefined;
    this.#source.onGivenBack(this, address);
  }

  send(data: Uint8Array, port: number, address: string, owner: Owner): void {
    this.#socket.send(data, port, address, owner);
  }

  onDatagram(data: Uint8Array, port: number, address: string): void {
    const lease = this.#sole ?? this.#leases.get(address);
    if (lease) lease.handlers.onDatagram(data, port, address);
    else this.#source.onStranger(this.#isAwaited() ? undefined : this.#answering, data, port, address);
  }

  onRefused(port: number, address: string): void {
    const lease = this.#leases.get(address);
    if (lease?.peer.port === port) this.#later(() => lease.onRefused());
  }

  /** It is nobody's in particular, and passes. */
  onUnreceived(): void {}

  close(): void {
    this.#socket.close();
  }

  /** Whether a session here has no answer yet, which may come from another address. */
  #isAwaited(): boolean {
    for (const lease of this.#leases.values()) {
      if (!lease.isAnswered) return true;
    }
    return false;
  }
}

/** Throws NetError. */
function open({ libc }: LoopParts, { address }: SocketSource): number {
  const isTransparent = address !== '0.0.0.0' && address !== '::';
  return openSocket(libc, { address, port: 0, receiveBuffer }, { hearsErrors: true, isTransparent });
}

/** What strangers are told matters to nobody. */
const unheard: Owner = { onUnsent: () => undefined };

/** The TID of one session towards one backend. */
class BackendLease implements BackendTid, Owner {
  readonly peer: Endpoint;
  readonly handlers: TidHandlers;
  isAnswered: boolean;
  readonly #socket: BackendSocket;
  /** Until the peer has answered from another port: refusals of its request port mean nothing then. */
  #hearsRefusals: boolean;
  #isOpen = true;

  constructor(socket: BackendSocket, peer: Endpoint, handlers: TidHandlers, moved?: MovedBackendTid) {
    this.#socket = socket;
    this.peer = peer;
    this.handlers = handlers;
    this.isAnswered = moved?.isAnswered ?? false;
    this.#hearsRefusals = moved?.hearsRefusals ?? true;
  }

  get address(): string {
    return this.#socket.address;
  }

  get port(): number {
    return this.#socket.port;
  }

  send(data: Uint8Array, port: number, address: string): void {
    if (this.#isOpen) this.#socket.send(data, port, address, this);
  }

  move(): MovedBackendTid {
    const { fd, isAlone } = this.#socket;
    const hearsAll = this.#socket.isSole(this);
    return { fd, isAlone, hearsAll, isAnswered: this.isAnswered, hearsRefusals: this.#hearsRefusals };
  }

  pinned(peerPort: number): void {
    this.isAnswered = true;
    if (peerPort !== this.peer.port) this.#hearsRefusals = false;
  }

  onRefused(): void {
    if (this.#isOpen && this.#hearsRefusals) this.handlers.onRefused();
  }

  onUnsent(errno: number): void {
    if (!this.#isOpen) return;
    // A port refuses by ICMP alone, which comes through `onRefused`: this one is another session's.
    const isOwn = errno !== ECONNREFUSED;
    if (isOwn && isRefusal(errno) && this.#hearsRefusals) this.handlers.onRefused();
    else this.handlers.onError(datagramError(errno, `cannot send from port ${this.port}`));
  }

  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#socket.giveBack(this);
  }
}
