/**
 * The backend-facing TIDs of one service. A socket is lent to one session per backend at a time: whoever of the
 * backend's ports a datagram comes from, its address and the socket tell the session. The pair that has rested longest
 * is lent first.
 */
import { isIPv6 } from 'node:net';
import { type Endpoint, NetError, type TidHandlers, type TidSocket } from '../../net/net.ts';
import type { BackendTidOptions, BackendTids, OnStranger } from '../../net/tids.ts';
import { BackendSocket, type SocketSource } from './backend-socket.ts';
import type { LoopParts } from './parts.ts';

/** Sockets that there are before a pair is lent again. */
const minSockets = 64;

/** Which sockets one backend's sessions may have next. */
interface Turn {
  /** Those that sessions have given back, longest first. */
  readonly rested: BackendSocket[];
  /** How many sockets of the pool it has had so far, those that others opened included. */
  seen: number;
}

/** The sockets of one family, or of one client's address in transparent mode. */
class SocketPool {
  readonly #open: () => BackendSocket;
  readonly #sockets: BackendSocket[] = [];
  readonly #turns = new Map<string, Turn>();

  constructor(open: () => BackendSocket) {
    this.#open = open;
  }

  /** Throws NetError if there is no socket left for the peer's address. */
  take(address: string): BackendSocket {
    const turn = this.#turnOf(address);
    if (
      turn.seen >= this.#sockets.length &&
      (turn.rested.length === 0 || this.#sockets.length < minSockets)
    ) {
      this.#tryGrow(turn);
    }
    const fresh = this.#sockets[turn.seen];
    if (fresh) {
      turn.seen += 1;
      return fresh;
    }
    const rested = turn.rested.shift();
    if (!rested) throw new NetError('TLB_ERR_NO_PORTS', `no port is left towards ${address}`);
    return rested;
  }

  giveBack(address: string, socket: BackendSocket): void {
    this.#turnOf(address).rested.push(socket);
  }

  close(): void {
    for (const socket of this.#sockets.splice(0)) socket.close();
  }

  #turnOf(address: string): Turn {
    const known = this.#turns.get(address);
    if (known) return known;
    const turn: Turn = { rested: [], seen: 0 };
    this.#turns.set(address, turn);
    return turn;
  }

  /** Throws NetError if that was the last hope. */
  #tryGrow(turn: Turn): void {
    try {
      this.#sockets.push(this.#open());
    } catch (error) {
      if (!(error instanceof NetError) || turn.rested.length === 0) throw error;
    }
  }
}

export class SharedBackendTids implements BackendTids {
  readonly #parts: LoopParts;
  readonly #onStranger: OnStranger;
  readonly #pools: { readonly 4: SocketPool; readonly 6: SocketPool };
  readonly #alone = new Set<BackendSocket>();

  constructor(parts: LoopParts, onStranger: OnStranger) {
    this.#parts = parts;
    this.#onStranger = onStranger;
    this.#pools = { 4: this.#poolFrom('0.0.0.0'), 6: this.#poolFrom('::') };
  }

  lend(peer: Endpoint, handlers: TidHandlers, options: BackendTidOptions): TidSocket {
    const family = isIPv6(peer.address) ? 6 : 4;
    if (options.anyAddress) return this.#lendAlone(peer, handlers, family === 6 ? '::' : '0.0.0.0');
    const pool = this.#pools[family];
    const socket = pool.take(peer.address);
    return socket.lend(peer, handlers, false, () => pool.giveBack(peer.address, socket));
  }

  close(): void {
    this.#pools[4].close();
    this.#pools[6].close();
    for (const socket of this.#alone) socket.close();
  }

  /** A socket that hears everybody is nobody else's. */
  #lendAlone(peer: Endpoint, handlers: TidHandlers, address: string): TidSocket {
    const socket = this.#open({ address });
    this.#alone.add(socket);
    return socket.lend(peer, handlers, true, () => {
      this.#alone.delete(socket);
      socket.close();
    });
  }

  #poolFrom(address: string): SocketPool {
    return new SocketPool(() => this.#open({ address }));
  }

  #open(source: SocketSource): BackendSocket {
    return new BackendSocket(this.#parts, source, this.#onStranger);
  }
}
