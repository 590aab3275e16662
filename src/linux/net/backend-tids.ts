/**
 * The backend-facing TIDs of one service. A socket is lent to one session per backend at a time: whoever of the
 * backend's ports a datagram comes from, its address and the socket tell the session. The pair that has rested longest
 * is lent first.
 */
import { isIPv6 } from 'node:net';
import { type Endpoint, formatEndpoint, NetError, type TidHandlers, type TidSocket } from '../../net/net.ts';
import type { BackendTidOptions, BackendTids, OnStranger } from '../../net/tids.ts';
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

  lend(peer: Endpoint, handlers: TidHandlers, options: BackendTidOptions): TidSocket {
    if (!isPort(peer.port) || this.#parts.book.name(peer.address) === undefined) {
      throw new NetError('TLB_ERR_SOCKET', `${formatEndpoint(peer.address, peer.port)} is no destination`);
    }
    const family = isIPv6(peer.address) ? 6 : 4;
    const { source } = options;
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
  #lendAlone(peer: Endpoint, handlers: TidHandlers, address: string, sole: boolean): TidSocket {
    const socket = this.#open(address, () => socket.close());
    return socket.lend(peer, handlers, sole);
  }

  #poolAt(address: string): SocketPool<BackendSocket> {
    const pool: SocketPool<BackendSocket> = new SocketPool(() =>
      this.#open(address, (socket, peerAddress) => pool.giveBack(peerAddress, socket)),
    );
    return pool;
  }

  #open(address: string, onGivenBack: (socket: BackendSocket, peerAddress: string) => void): BackendSocket {
    return new BackendSocket(this.#parts, { address, onStranger: this.#onStranger, onGivenBack });
  }
}
