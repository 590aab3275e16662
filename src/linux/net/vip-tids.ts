/**
 * The VIP TIDs of one listener: a handful of sockets on the VIP that many sessions share. A session is known by its
 * socket and its client's address and port, so each client's sessions need sockets of their own, and nobody else's do.
 */
import { type Endpoint, NetError, type UdpHandlers } from '../../net/net.ts';
import type { MovedTid, OnStranger, VipLendOptions, VipTid, VipTidOptions, VipTids } from '../../net/tids.ts';
import { openSocket } from './open-socket.ts';
import type { LoopParts } from './parts.ts';
import type { PortRange } from './port-range.ts';
import { VipSocket } from './vip-socket.ts';

/** Sockets among which sessions are spread before any is shared, so that a TID is no fixed port. */
const minSockets = 64;
/** The part of a range that is taken for that; the rest is left to clients with many sessions, and to other services. */
const minShare = 1 / 4;
/** Ports of a range that others may hold before there is none for now. */
const maxPortTries = 64;
/** Bytes of receive buffer, as far as the kernel lets: the windows of many uploads arrive at one socket. */
const receiveBuffer = 4_194_304;

export class SharedVipTids implements VipTids {
  readonly #parts: LoopParts;
  readonly #options: VipTidOptions;
  /** The operator's ports; undefined where the system chooses. */
  readonly #range: PortRange | undefined;
  readonly #onStranger: OnStranger;
  /** How many there are to begin with, and again when nothing is lent any longer. */
  readonly #size: number;
  readonly #sockets: VipSocket[] = [];
  #next = 0;
  #lent = 0;
  #isClosed = false;

  constructor(
    parts: LoopParts,
    options: VipTidOptions,
    range: PortRange | undefined,
    onStranger: OnStranger,
  ) {
    this.#parts = parts;
    this.#options = options;
    this.#range = range;
    this.#onStranger = onStranger;
    this.#size = range ? Math.min(minSockets, Math.ceil(range.size * minShare)) : minSockets;
  }

  lend(client: Endpoint, handlers: UdpHandlers, { moved }: VipLendOptions = {}): VipTid {
    const socket = moved ? this.#takeOver(moved) : this.#take(client);
    this.#lent += 1;
    return socket.lend(client, handlers);
  }

  close(): void {
    this.#isClosed = true;
    if (this.#lent === 0) this.#shrink(0);
  }

  #onGivenBack(): void {
    this.#lent -= 1;
    if (this.#lent === 0) this.#shrink(this.#isClosed ? 0 : this.#size);
  }

  /** Throws NetError. */
  #take(client: Endpoint): VipSocket {
    if (this.#sockets.length < this.#size) this.#tryGrow();
    return this.#free(client) ?? this.#grow();
  }

  /** One that many sessions came with is taken over once. Throws NetError. */
  #takeOver({ fd }: MovedTid): VipSocket {
    const known = this.#sockets.find((socket) => socket.fd === fd);
    if (known) return known;
    const socket = this.#socketOf(fd);
    this.#range?.claim(socket.port);
    this.#sockets.push(socket);
    return socket;
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

  /** Throws NetError. */
  #grow(): VipSocket {
    const socket = this.#range ? this.#openIn(this.#range) : this.#open(0);
    // The next one in turn.
    this.#sockets.splice(this.#next, 0, socket);
    return socket;
  }

  /** Throws NetError. */
  #openIn(range: PortRange): VipSocket {
    for (let tries = Math.min(range.free, maxPortTries); tries > 0; tries--) {
      const port = range.take() ?? 0;
      try {
        return this.#open(port);
      } catch (error) {
        range.giveBack(port);
        if (!(error instanceof NetError) || error.code !== 'TLB_ERR_ADDRESS_IN_USE') throw error;
      }
    }
    const { first, last } = this.#options.ports ?? {};
    throw new NetError('TLB_ERR_NO_PORTS', `no free port from ${first} to ${last}`);
  }

  /** Throws NetError. */
  #open(port: number): VipSocket {
    const fd = openSocket(this.#parts.libc, { address: this.#options.address, port, receiveBuffer });
    return this.#socketOf(fd);
  }

  /** Throws NetError. */
  #socketOf(fd: number): VipSocket {
    return new VipSocket(this.#parts, fd, this.#onStranger, () => this.#onGivenBack());
  }

  /** Nothing is lent. */
  #shrink(size: number): void {
    if (this.#sockets.length <= size) return;
    for (const socket of this.#sockets.splice(size)) {
      socket.close();
      this.#range?.giveBack(socket.port);
    }
    this.#next = 0;
  }
}
