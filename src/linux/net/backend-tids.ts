/**
 * The backend-facing TIDs of one service. A socket is lent to one session per backend at a time: whoever of the
 * backend's ports a datagram comes from, its address and the socket tell the session. The pair that has rested longest
 * is lent first.
 */
import { isIPv6 } from 'node:net';
import { type Endpoint, formatEndpoint, NetError, type TidHandlers } from '../../net/net.ts';
import type {
  BackendTid,
  BackendTidOptions,
  BackendTids,
  MovedBackendTid,
  OnStranger,
} from '../../net/tids.ts';
import { BackendSocket } from './backend-socket.ts';
import type { LoopParts } from './parts.ts';
import { isPort } from './sender.ts';
import { SocketPool } from './socket-pool.ts';

/** Where the sockets are bound whose source the kernel chooses. */
const any = { 4: '0.0.0.0', 6: '::' } as const;

export class SharedBackendTids implements BackendTids {
  readonly #parts: LoopParts;
  readonly #onStranger: OnStranger;
  readonly #pools: { readonly 4: SocketPool<BackendSocket>; readonly 6: SocketPool<BackendSocket> };

  constructor(parts: LoopParts, onStranger: OnStranger) {
    this.#parts = parts;
    this.#onStranger = onStranger;
    this.#pools = { 4: this.#poolAt(any[4]), 6: this.#poolAt(any[6]) };
  }

  lend(peer: Endpoint, handlers: TidHandlers, options: BackendTidOptions): BackendTid {
    if (!isPort(peer.port) || this.#parts.book.name(peer.address) === undefined) {
      throw new NetError('TLB_ERR_SOCKET', `${formatEndpoint(peer.address, peer.port)} is no destination`);
    }
    const family = isIPv6(peer.address) ? 6 : 4;
    const { source, moved } = options;
    if (moved) return this.#takeOver(peer, handlers, family, moved);
    if (source !== undefined && isIPv6(source) === isIPv6(peer.address)) {
      return this.#lendAlone(peer, handlers, source, options.anyAddress);
    }
    if (options.anyAddress) return this.#lendAlone(peer, handlers, any[family], true);
    return this.#pools[family].take(peer.address).lend(peer, handlers, false);
  }

  close(): void {
    this.#pools[4].close();
    this.#pools[6].close();
  }

  /** A socket that hears everybody, or has a client's address, is nobody else's. */
  #lendAlone(peer: Endpoint, handlers: TidHandlers, address: string, sole: boolean): BackendTid {
    const socket = this.#openAlone(address);
    return socket.lend(peer, handlers, sole);
  }

  /** One that many sessions came with is taken over once. */
  #takeOver(peer: Endpoint, handlers: TidHandlers, family: 4 | 6, moved: MovedBackendTid): BackendTid {
    if (moved.isAlone) {
      return this.#openAlone(any[family], moved.fd).lend(peer, handlers, moved.hearsAll, moved);
    }
    const pool = this.#pools[family];
    const known = pool.find((socket) => socket.fd === moved.fd);
    const socket = known ?? this.#openFor(pool, any[family], moved.fd);
    pool.adopt(peer.address, socket);
    return socket.lend(peer, handlers, false, moved);
  }

  #openAlone(address: string, fd?: number): BackendSocket {
    const source = {
      address,
      isAlone: true,
      onStranger: this.#onStranger,
      onGivenBack: (socket: BackendSocket) => socket.close(),
    };
    return new BackendSocket(this.#parts, source, fd);
  }

  #poolAt(address: string): SocketPool<BackendSocket> {
    const pool: SocketPool<BackendSocket> = new SocketPool(() => this.#openFor(pool, address));
    return pool;
  }

  #openFor(pool: SocketPool<BackendSocket>, address: string, fd?: number): BackendSocket {
    const source = {
      address,
      isAlone: false,
      onStranger: this.#onStranger,
      onGivenBack: (socket: BackendSocket, peerAddress: string) => pool.giveBack(peerAddress, socket),
    };
    return new BackendSocket(this.#parts, source, fd);
  }
}
