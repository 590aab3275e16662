import { NetError } from '../../net/net.ts';

/** Sockets that there are before a pair is lent again. */
const minSockets = 64;
/** Peers whose turns are remembered although nothing is lent to them: backends come and go. */
const maxTurns = 4_096;

interface Closable {
  close(): void;
}

/** Which sockets one peer's sessions may have next. */
interface Turn<Socket> {
  /** Those that sessions have given back, the one that has rested longest first. */
  rested: Socket[];
  /** How many sockets of the pool it has had so far, those that others opened included. */
  seen: number;
  /** Those that it has had out of this order, since they came with its sessions. */
  readonly adopted: Set<Socket>;
}

/**
 * Sockets of which each is lent once for each address of a peer. Where all are lent, another one is opened; when none is
 * lent any longer, only as many stay as a pool begins with.
 */
export class SocketPool<Socket extends Closable> {
  readonly #open: () => Socket;
  readonly #sockets: Socket[] = [];
  readonly #turns = new Map<string, Turn<Socket>>();
  #lent = 0;
  #isClosed = false;

  /** `open` throws NetError if there can be no more. */
  constructor(open: () => Socket) {
    this.#open = open;
  }

  /** Throws NetError if there is no socket left for the peer's address. */
  take(address: string): Socket {
    const turn = this.#turnOf(address);
    this.#passAdopted(turn);
    const wantsMore = turn.rested.length === 0 || this.#sockets.length < minSockets;
    if (turn.seen >= this.#sockets.length && wantsMore) this.#tryGrow(turn);
    const fresh = this.#sockets[turn.seen];
    if (fresh) turn.seen += 1;
    const socket = fresh ?? turn.rested.shift();
    if (!socket) throw new NetError('TLB_ERR_NO_PORTS', `no port is left towards ${address}`);
    this.#lent += 1;
    return socket;
  }

  /** A socket of the pool, as `accept` says. */
  find(accept: (socket: Socket) => boolean): Socket | undefined {
    return this.#sockets.find(accept);
  }

  /** Makes the socket one of the pool that is lent to the peer's address. */
  adopt(address: string, socket: Socket): void {
    if (!this.#sockets.includes(socket)) this.#sockets.push(socket);
    this.#turnOf(address).adopted.add(socket);
    this.#lent += 1;
  }

  giveBack(address: string, socket: Socket): void {
    this.#turnOf(address).rested.push(socket);
    this.#lent -= 1;
    if (this.#lent === 0) this.#shrink(this.#isClosed ? 0 : minSockets);
  }

  /** No more will be lent; those that are stay until they are given back. */
  close(): void {
    this.#isClosed = true;
    if (this.#lent === 0) this.#shrink(0);
  }

  #turnOf(address: string): Turn<Socket> {
    const known = this.#turns.get(address);
    if (known) return known;
    if (this.#turns.size >= maxTurns) this.#forgetTurns();
    const turn: Turn<Socket> = { rested: [], seen: 0, adopted: new Set() };
    this.#turns.set(address, turn);
    return turn;
  }

  #passAdopted(turn: Turn<Socket>): void {
    for (let next = this.#sockets[turn.seen]; next && turn.adopted.delete(next);) {
      turn.seen += 1;
      next = this.#sockets[turn.seen];
    }
  }

  /** Throws NetError if that was the last hope. */
  #tryGrow(turn: Turn<Socket>): void {
    try {
      this.#sockets.push(this.#open());
    } catch (error) {
      if (!(error instanceof NetError) || turn.rested.length === 0) throw error;
    }
  }

  #forgetTurns(): void {
    for (const [address, { rested, seen, adopted }] of this.#turns) {
      if (rested.length === seen + adopted.size) this.#turns.delete(address);
    }
  }

  /** Nothing is lent. */
  #shrink(size: number): void {
    if (this.#sockets.length <= size) return;
    const closing = new Set(this.#sockets.splice(size));
    for (const socket of closing) socket.close();
    for (const turn of this.#turns.values()) {
      turn.rested = turn.rested.filter((socket) => !closing.has(socket));
      turn.seen = Math.min(turn.seen, size);
      for (const socket of closing) turn.adopted.delete(socket);
    }
  }
}
