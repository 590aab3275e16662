/**
 * One leg of an FTP data connection until its relay takes it.
 *
 *   listen ──▶ opening ──right peer──▶ open ──take──▶ (the relay's)
 *   connect ─▶ opening ──connected───▶ open ──reset─▶ over
 *                 └──failed, closed──────────────────▶ over
 *
 * What the peer says before the relay is kept: one chunk, and then nothing more is read, or its FIN. A reset is noticed
 * as long as nothing was said. Of a leg that is to be under TLS nothing is read at all: the handshake is the relay's
 * business, because clients and servers begin it when the transfer begins.
 */
import { sameAddress } from '../ftp/addresses.ts';
import type { DataFailure } from '../ftp/effects.ts';
import { type Endpoint, NetError, type NetErrorCode } from '../net/net.ts';
import type { ListenHandlers, TcpHandlers, TcpListener, TcpSocket } from '../net/tcp.ts';
import type { DataLink } from './data-relay.ts';

export type DataLegEvent =
  | { readonly kind: 'listening'; readonly port: number }
  | { readonly kind: 'listen-failed'; readonly failure: DataFailure }
  | { readonly kind: 'open' }
  | { readonly kind: 'failed'; readonly failure: DataFailure }
  /** Somebody else than the peer was turned away. */
  | { readonly kind: 'stranger'; readonly peer: Endpoint };

/** One reason for all legs: where there is none, an exception with its stack is made for each. */
const over = new Error('the leg is over');

export type OpenListener = (handlers: ListenHandlers) => Promise<TcpListener>;
export type Dial = (signal: AbortSignal) => Promise<TcpSocket>;

export class DataLeg implements TcpHandlers {
  readonly #tell: (event: DataLegEvent) => void;
  /** What its peer says is for TLS to read. */
  readonly isProtected: boolean;
  readonly #closing = new AbortController();
  #listener: TcpListener | undefined;
  #socket: TcpSocket | undefined;
  #early: Uint8Array | undefined;
  #isEnded = false;

  constructor(isProtected: boolean, tell: (event: DataLegEvent) => void) {
    this.isProtected = isProtected;
    this.#tell = tell;
  }

  get isOpen(): boolean {
    return this.#socket !== undefined;
  }

  /** Waits for the one connection that comes from the address `peer`. Never rejects. */
  async listen(open: OpenListener, peer: string): Promise<void> {
    const handlers: ListenHandlers = {
      onConnection: (socket) => this.#onConnection(socket, peer),
      onError: (error) => this.#fail(failureOf(error)),
    };
    let listener: TcpListener;
    try {
      listener = await open(handlers);
    } catch (error) {
      if (!this.#isOver) this.#end({ kind: 'listen-failed', failure: failureOf(error) });
      return;
    }
    if (this.#isOver) {
      listener.close();
      return;
    }
    this.#listener = listener;
    this.#tell({ kind: 'listening', port: listener.port });
  }

  /** Never rejects. */
  async connect(dial: Dial): Promise<void> {
    let socket: TcpSocket;
    try {
      socket = await dial(this.#closing.signal);
    } catch (error) {
      this.#fail(failureOf(error));
      return;
    }
    if (this.#isOver) socket.reset();
    else this.#adopt(socket);
  }

  /** Hands over the open connection. */
  take(): DataLink | undefined {
    const socket = this.#socket;
    this.#socket = undefined;
    this.#closing.abort(over);
    return socket && { socket, early: this.#early, isEnded: this.#isEnded };
  }

  /** Breaks whatever there is; nothing is told any more. Idempotent. */
  close(): void {
    this.#closing.abort(over);
    this.#listener?.close();
    this.#socket?.reset();
    this.#socket = undefined;
  }

  onData(data: Uint8Array): void {
    this.#early = data;
    this.#socket?.pause();
  }

  onEnd(): void {
    this.#isEnded = true;
  }

  onDrain(): void {}

  onClose(): void {
    this.#socket = undefined;
    this.#fail('closed');
  }

  get #isOver(): boolean {
    return this.#closing.signal.aborted;
  }

  #onConnection(socket: TcpSocket, peer: string): void {
    const isWanted = this.#listener !== undefined && !this.isOpen && !this.#isOver;
    if (isWanted && sameAddress(socket.remote.address, peer)) {
      this.#listener?.close();
      this.#adopt(socket);
      return;
    }
    socket.reset();
    if (isWanted) this.#tell({ kind: 'stranger', peer: socket.remote });
  }

  #adopt(socket: TcpSocket): void {
    this.#socket = socket;
    if (!this.isProtected) socket.handle(this);
    this.#tell({ kind: 'open' });
  }

  #fail(failure: DataFailure): void {
    if (!this.#isOver) this.#end({ kind: 'failed', failure });
  }

  #end(event: DataLegEvent): void {
    this.close();
    this.#tell(event);
  }
}

const failures: Readonly<Partial<Record<NetErrorCode, DataFailure>>> = {
  TLB_ERR_REFUSED: 'refused',
  TLB_ERR_TIMEOUT: 'timeout',
  TLB_ERR_NO_PORTS: 'no-ports',
  TLB_ERR_NO_DESCRIPTORS: 'no-resources',
};

function failureOf(error: unknown): DataFailure {
  const failure = error instanceof NetError ? failures[error.code] : undefined;
  return failure ?? 'unreachable';
}
