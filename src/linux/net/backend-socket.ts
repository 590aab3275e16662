import type { Endpoint, TidHandlers, TidSocket, UdpSocket } from '../../net/net.ts';
import type { OnStranger } from '../../net/tids.ts';
import { DatagramSocket, type SocketUser } from './datagram-socket.ts';
import { datagramError, openSocket } from './open-socket.ts';
import type { Owner } from './outbox.ts';
import type { LoopParts } from './parts.ts';

/** Bytes of receive buffer, as far as the kernel lets: the windows of several downloads arrive at one socket. */
const receiveBuffer = 4_194_304;

/** What the kernel makes of ICMP errors, beside the refusal itself (RFC 1122 section 4.1.3.3). */
const refusals: ReadonlySet<number> = new Set([
  111, // ECONNREFUSED
  113, // EHOSTUNREACH
  112, // EHOSTDOWN
  101, // ENETUNREACH
  92, // ENOPROTOOPT
]);

/** Where the sockets of a pool are bound. */
export interface SocketSource {
  readonly address: string;
}

/** One backend-facing socket, lent to one session for each address of a backend. */
export class BackendSocket implements SocketUser {
  readonly #socket: DatagramSocket;
  readonly #leases = new Map<string, BackendLease>();
  /** Whom it is lent to if that one hears everybody. */
  #sole: BackendLease | undefined;
  readonly #onStranger: OnStranger;
  readonly #answering: UdpSocket;

  /** Throws NetError. */
  constructor(parts: LoopParts, { address }: SocketSource, onStranger: OnStranger) {
    const fd = openSocket(parts.libc, { address, port: 0, receiveBuffer }, { hearsErrors: true });
    this.#socket = new DatagramSocket(parts, fd, true, this);
    this.#onStranger = onStranger;
    this.#answering = {
      address,
      port: this.#socket.port,
      send: (data, port, to) => this.#socket.send(data, port, to, this),
      close: () => undefined,
    };
  }

  /** The session hears the peer's address, or everybody if it is the `sole` one. */
  lend(peer: Endpoint, handlers: TidHandlers, sole: boolean, giveBack: () => void): TidSocket {
    const lease = new BackendLease(this.#socket, peer, handlers, () => {
      this.#leases.delete(peer.address);
      this.#sole = undefined;
      giveBack();
    });
    this.#leases.set(peer.address, lease);
    if (sole) this.#sole = lease;
    return lease;
  }

  onDatagram(data: Uint8Array, port: number, address: string): void {
    const lease = this.#sole ?? this.#leases.get(address);
    if (lease) lease.handlers.onDatagram(data, port, address);
    else this.#onStranger(this.#isAwaited() ? undefined : this.#answering, data, port, address);
  }

  onRefused(port: number, address: string): void {
    const lease = this.#leases.get(address);
    if (lease?.hearsRefusals === true && lease.peer.port === port) lease.handlers.onRefused();
  }

  /** What strangers are told matters to nobody here. */
  onUnsent(): void {}

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

/** The TID of one session towards one backend. */
class BackendLease implements TidSocket, Owner {
  readonly peer: Endpoint;
  readonly handlers: TidHandlers;
  isAnswered = false;
  /** Until the peer has answered from another port: refusals of its request port mean nothing then. */
  hearsRefusals = true;
  readonly #socket: DatagramSocket;
  /** Undefined once it is closed. */
  #giveBack: (() => void) | undefined;

  constructor(socket: DatagramSocket, peer: Endpoint, handlers: TidHandlers, giveBack: () => void) {
    this.#socket = socket;
    this.peer = peer;
    this.handlers = handlers;
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

  pinned(peerPort: number): void {
    this.isAnswered = true;
    if (peerPort !== this.peer.port) this.hearsRefusals = false;
  }

  onUnsent(errno: number): void {
    if (!this.#giveBack) return;
    if (refusals.has(errno) && this.hearsRefusals) this.handlers.onRefused();
    else this.handlers.onError(datagramError(errno, `cannot send from port ${this.port}`));
  }

  close(): void {
    const giveBack = this.#giveBack;
    this.#giveBack = undefined;
    giveBack?.();
  }
}
