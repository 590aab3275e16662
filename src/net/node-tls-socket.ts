import { constants } from 'node:crypto';
import type { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import { type Clock, type Endpoint, NetError, type NetErrorCode, type Timer } from './net.ts';
import { owesTooMuch } from './node-tls-debt.ts';
import { toTlsError } from './node-tls-errors.ts';
import { TlsTransport, type TransportOwner } from './node-tls-transport.ts';
import { Scratch } from './scratch.ts';
import type { TcpEnd, TcpHandlers, TcpSocket } from './tcp.ts';
import type { TlsUse } from './tls.ts';

/** TLS 1.2 has handshakes within a connection, which nothing in FTP needs and which cost the server most. */
export const noRenegotiation: number = constants.SSL_OP_NO_RENEGOTIATION;

/** Bytes: what Node hands over within the call that writes it. Of more it keeps the rest for later. */
const writtenAtOnce = 65_536;

/** One side of a handshake: how it is begun, and what is asked of its outcome. */
export interface TlsRole {
  /** What Node calls the event of a handshake that is done. */
  readonly doneEvent: 'secure' | 'secureConnect';
  /** Begins the handshake. */
  begin(transport: Duplex): TLSSocket;
  /** The handshake is done. Throws NetError where its outcome will not do. */
  onDone(tls: TLSSocket): void;
}

export interface TlsSocketOptions {
  readonly clock: Clock;
  /** Milliseconds. */
  readonly handshakeTimeout: number;
  readonly eof: 'strict' | 'lenient';
  readonly use?: TlsUse | undefined;
}

/** How a connection ended. */
export interface TlsOutcome {
  readonly end: TcpEnd;
  readonly error: NetError | undefined;
}

/**
 * A connection under TLS.
 *
 *   handshaking ──done──▶ open ──close_notify, FIN──▶ ended on that side ──the other one, too──▶ clean
 *        │                  │
 *        └──────────────────┴──reset, alert, bad record, FIN without close_notify──▶ reset
 *
 * Node says the same of a close_notify and of a mere FIN, so it is not told of the latter. What it calls the end is a
 * close_notify therefore; a FIN is the end of the connection beneath, and means that no close_notify will come.
 *
 * A peer that has sent its close_notify and closes without reading what TLS itself had to say to it, such as session
 * tickets, makes its system send a reset. All that it sent is known to be whole by then. So, unless something else was
 * written to it, which might be lost now, that is no reset.
 */
export class NodeTlsSocket implements TcpSocket, TransportOwner {
  readonly local: Endpoint;
  readonly remote: Endpoint;
  readonly #socket: TcpSocket;
  readonly #role: TlsRole;
  readonly #isLenient: boolean;
  readonly #isReader: boolean;
  readonly #transport: TlsTransport;
  readonly #tls: TLSSocket;
  readonly #handshakeTimer: Timer;
  #handlers: TcpHandlers | undefined;
  #gathered: Uint8Array[] | undefined;
  readonly #scratch = new Scratch();
  #isSecure = false;
  #paused = false;
  #blocked = false;
  #isWritten = false;
  #isEnding = false;
  #isLeaving = false;
  /** Bytes that the system has, though Node has not said so. */
  #gone = 0;
  #isCutOff = false;
  #turnPlanned = false;
  #endTold = false;
  #closeTold = false;
  /** How the connection beneath ended. */
  #beneath: TlsOutcome | undefined;
  #outcome: TlsOutcome | undefined;

  constructor(socket: TcpSocket, role: TlsRole, options: TlsSocketOptions) {
    const { clock, handshakeTimeout, eof, use } = options;
    this.local = socket.local;
    this.remote = socket.remote;
    this.#socket = socket;
    this.#role = role;
    this.#isLenient = eof === 'lenient' || use === 'write';
    this.#isReader = use === 'read';
    this.#transport = new TlsTransport(socket, this);
    this.#handshakeTimer = clock.setTimer(handshakeTimeout, () =>
      this.#fail('TLB_ERR_TIMEOUT', `no handshake within ${handshakeTimeout} ms`),
    );
    this.#tls = role.begin(this.#transport);
    this.#tls.pause();
    this.#tls.once(role.doneEvent, () => this.#onSecure());
    this.#tls.on('data', (data: Uint8Array) => this.#onData(data));
    this.#tls.on('end', this.#planTurn);
    this.#tls.on('finish', this.#onFlushed);
    this.#tls.on('error', this.#onError);
    // Behind the handshake Node says no more than this of a socket that no server of its own has made.
    this.#tls.on('_tlsError', this.#onError);
  }

  get pending(): number {
    if (this.#isOver) return 0;
    // Behind the handshake there is a close_notify to come.
    const endings = this.#isEnding && !this.#isSecure ? 1 : 0;
    return this.#tls.writableLength - this.#gone + this.#pendingBeneath + endings;
  }

  handle(handlers: TcpHandlers): void {
    this.#handlers = handlers;
    if (!this.#paused) this.#tls.resume();
    this.#planTurn();
  }

  write(data: Uint8Array): boolean {
    if (this.#isOver || this.#isEnding || data.length === 0) return !this.#blocked;
    this.#isWritten = true;
    this.#transport.release();
    const isFirst = this.#tls.writableLength === 0 && data.length <= writtenAtOnce;
    const { bytesWritten } = this.#transport;
    this.#tls.write(data, this.#onWritten);
    // What was encrypted is longer than the data. Node says only in a later turn of the event loop that it is written.
    const isWhole = isFirst && this.#transport.bytesWritten - bytesWritten > data.length;
    if (isWhole && this.#pendingBeneath === 0) this.#gone = data.length;
    this.#blocked = this.pending > 0;
    this.#planTurn();
    return !this.#blocked;
  }

  end(): void {
    if (this.#isOver || this.#isEnding) return;
    this.#isEnding = true;
    if (this.#isSecure) this.#end();
    this.#planTurn();
  }

  reset(): void {
    if (this.#isOver) return;
    this.#socket.reset();
    this.#over({ end: 'aborted', error: undefined });
  }

  release(): void {
    this.#closeTold = true;
    if (this.pending > 0) this.reset();
    else if (this.#isSecure) this.#leave();
    else this.#isLeaving = true;
  }

  pause(): void {
    this.#paused = true;
    this.#tls.pause();
    // The handshake needs to read in any case.
    if (this.#isSecure) this.#socket.pause();
  }

  resume(): void {
    this.#paused = false;
    if (this.#handlers !== undefined) this.#tls.resume();
    this.#socket.resume();
    this.#planTurn();
  }

  gather(read: () => void): void {
    const gathered: Uint8Array[] = [];
    this.#gathered = gathered;
    read();
    this.#gathered = undefined;
    if (this.#transport.isBlocked && owesTooMuch(this.#tls)) {
      this.#fail('TLB_ERR_TLS', 'the other side asks and does not read the answers');
      return;
    }
    const [first, ...others] = gathered;
    if (first === undefined || this.#isOver) return;
    const handlers = this.#handlers;
    if (others.length === 0) handlers?.onData(first);
    else handlers?.onData(handlers.borrows === true ? this.#scratch.join(gathered) : Buffer.concat(gathered));
  }

  onTransportEnd(): void {
    if (!this.#isSecure) this.#fail('TLB_ERR_TLS', 'the other side ended it during the handshake');
    this.#isCutOff = true;
    this.#planTurn();
  }

  onTransportClose(end: TcpEnd, error?: NetError): void {
    this.#beneath = { end, error };
    this.#planTurn();
  }

  get #isOver(): boolean {
    return this.#outcome !== undefined;
  }

  get #pendingBeneath(): number {
    return this.#transport.writableLength + this.#socket.pending;
  }

  get #what(): string {
    return `TLS with ${this.remote.address} port ${this.remote.port}`;
  }

  #onSecure(): void {
    if (this.#isOver) return;
    this.#handshakeTimer.cancel();
    try {
      this.#role.onDone(this.#tls);
    } catch (error) {
      this.#lose(toTlsError(error, this.#what));
      return;
    }
    this.#isSecure = true;
    // What older versions have to say belongs to the handshake.
    if (this.#isReader && this.#tls.getProtocol() === 'TLSv1.3') this.#transport.hold();
    if (this.#isLeaving) this.#leave();
    else if (this.#isEnding) this.#end();
    if (this.#paused) this.#socket.pause();
  }

  /** All data have gone. As soon as Node says so, too, the close_notify is written within the call. */
  readonly #leave = (): void => {
    if (this.#isOver) return;
    this.#end();
    if (this.#tls.writableLength > 0) {
      setImmediate(this.#leave);
      return;
    }
    this.#socket.release();
    this.#over({ end: 'clean', error: undefined });
  };

  #end(): void {
    this.#transport.release();
    this.#tls.end();
  }

  /** What comes in pieces of 16 KiB, as long as a record is, is cheaper to pass on as the one it was read as. */
  #onData(data: Uint8Array): void {
    if (this.#gathered) this.#gathered.push(data);
    else if (!this.#isOver) this.#handlers?.onData(data);
  }

  readonly #planTurn = (): void => {
    if (this.#turnPlanned) return;
    this.#turnPlanned = true;
    setImmediate(this.#takeTurn);
  };

  readonly #takeTurn = (): void => {
    this.#turnPlanned = false;
    this.#tellEnd();
    this.#judgeCut();
    this.#settle();
    this.#tellClose();
  };

  #tellEnd(): void {
    if (this.#paused || this.#isOver || this.#endTold || this.#handlers === undefined) return;
    if (!this.#tls.readableEnded) return;
    this.#endTold = true;
    this.#handlers.onEnd();
  }

  /** The FIN has come: has the close_notify? */
  #judgeCut(): void {
    if (!this.#isCutOff || this.#paused || this.#isOver || this.#endTold || this.#handlers === undefined)
      return;
    if (this.#tls.readableLength + this.#transport.readableLength > 0) return;
    if (this.#isLenient) {
      this.#endTold = true;
      this.#handlers.onEnd();
    } else {
      this.#socket.reset();
      this.#fail('TLB_ERR_TLS_TRUNCATED', 'the other side ended the connection without a close_notify');
    }
  }

  #settle(): void {
    if (this.#isOver || this.#beneath === undefined) return;
    const { end } = this.#beneath;
    const isHarmless = this.#endTold && !this.#isWritten;
    if (end === 'reset' && !isHarmless) this.#over(this.#beneath);
    else if (this.#endTold && this.#isEnding) this.#over({ end: 'clean', error: undefined });
  }

  #tellClose(): void {
    if (this.#outcome === undefined || this.#closeTold || this.#handlers === undefined) return;
    this.#closeTold = true;
    this.#handlers.onClose(this.#outcome.end, this.#outcome.error);
  }

  readonly #onWritten = (): void => {
    this.#gone = 0;
    if (this.#tls.writableLength === 0) this.#onFlushed();
  };

  readonly #onFlushed = (): void => {
    if (!this.#blocked || this.#isOver) return;
    this.#blocked = false;
    this.#handlers?.onDrain();
  };

  readonly #onError = (error: unknown): void => this.#lose(toTlsError(error, this.#what));

  #fail(code: NetErrorCode, reason: string): void {
    this.#lose(new NetError(code, `${this.#what}: ${reason}`));
  }

  /** What TLS wrote last, such as an alert, is still delivered. */
  #lose(error: NetError): void {
    if (this.#isOver) return;
    this.#socket.release();
    this.#over({ end: 'reset', error });
  }

  #over(outcome: TlsOutcome): void {
    this.#outcome = outcome;
    this.#handshakeTimer.cancel();
    this.#tls.destroy();
    this.#planTurn();
  }
}
