import { TLSSocket } from 'node:tls';
import { type Clock, type Endpoint, NetError, type NetErrorCode, type Timer } from './net.ts';
import { toNetError } from './node-errors.ts';
import type { NodeTcpSocket } from './node-tcp-socket.ts';
import { owesTooMuch } from './node-tls-debt.ts';
import { toTlsError } from './node-tls-errors.ts';
import type { TlsOutcome, TlsRole, TlsSocketOptions } from './node-tls-socket.ts';
import type { TcpHandlers, TcpSocket } from './tcp.ts';

/** What Node keeps to itself of its TLS sockets. */
interface Detachable {
  _handle: { reading: boolean; readStop(): void } | null;
  _destroySSL?: () => void;
}

/** Milliseconds that a close_notify and a FIN have to leave before a connection is closed as it is. */
const shutTime = 1_000;
/** Milliseconds between two looks at what waits for a peer. */
const debtTime = 1_000;

const nothing = new Uint8Array(0);

/**
 * Whether Node has what a NodeTlsWriter needs. Without it, or with a libuv that may take a reset for a FIN, a
 * NodeTlsSocket does the same.
 */
export const canDetach: boolean = isDetachable();

function isDetachable(): boolean {
  const [major = 0, minor = 0] = process.versions.uv.split('.').map(Number);
  const prototype: Partial<Detachable> = TLSSocket.prototype as object;
  return (major > 1 || minor >= 52) && typeof prototype._destroySSL === 'function';
}

/**
 * A connection under TLS that is there to be written to. Node encrypts straight into its socket, which takes half the
 * time of a NodeTlsSocket, at a price: it cannot tell a FIN from a close_notify, and says nothing of what comes behind
 * either of them. The first does not matter here. The second does: a peer that gives up may say so and then reset.
 *
 *   handshaking ──done──▶ open ──all is written, our close_notify and FIN, too──▶ watching ──FIN──▶ clean
 *        │                 │                                                         │
 *        └─────────────────┴───────────────────reset, alert, bad record──────────────┴──▶ reset
 *
 * So when all is written TLS is taken off, and the connection beneath tells how it ends.
 */
export class NodeTlsWriter implements TcpSocket {
  readonly local: Endpoint;
  readonly remote: Endpoint;
  readonly #clock: Clock;
  readonly #socket: NodeTcpSocket;
  readonly #role: TlsRole;
  readonly #tls: TLSSocket;
  #timer: Timer;
  #handlers: TcpHandlers | undefined;
  #isSecure = false;
  #paused = false;
  #blocked = false;
  #isWritten = false;
  #isEnding = false;
  #isFinished = false;
  #isLeaving = false;
  #isEnded = false;
  /** The peer's end was told before ours began. */
  #isLast = false;
  #turnPlanned = false;
  #endTold = false;
  #closeTold = false;
  #outcome: TlsOutcome | undefined;

  constructor(socket: NodeTcpSocket, role: TlsRole, { clock, handshakeTimeout }: TlsSocketOptions) {
    this.local = socket.local;
    this.remote = socket.remote;
    this.#clock = clock;
    this.#socket = socket;
    this.#role = role;
    this.#timer = clock.setTimer(handshakeTimeout, () =>
      this.#fail('TLB_ERR_TIMEOUT', `no handshake within ${handshakeTimeout} ms`),
    );
    this.#tls = role.begin(socket.raw);
    this.#tls.pause();
    this.#tls.once(role.doneEvent, () => this.#onSecure());
    this.#tls.on('data', (data: Uint8Array) => this.#onData(data));
    this.#tls.on('end', () => this.#onEnd());
    this.#tls.on('finish', () => this.#onFinish());
    this.#tls.on('error', this.#onError);
    // Behind the handshake Node says no more than this of a socket that no server of its own has made.
    this.#tls.on('_tlsError', this.#onError);
    this.#tls.on('close', () => this.#onClose());
  }

  get pending(): number {
    if (this.#isOver) return 0;
    // Behind the handshake there is a close_notify to come.
    const endings = this.#isEnding && !this.#isSecure ? 1 : 0;
    return this.#tls.writableLength + endings;
  }

  handle(handlers: TcpHandlers): void {
    this.#handlers = handlers;
    if (!this.#paused) this.#tls.resume();
    this.#planTurn();
  }

  write(data: Uint8Array): boolean {
    if (this.#isOver || this.#isEnding || data.length === 0) return !this.#blocked;
    this.#isWritten = true;
    this.#tls.write(data, this.#onWritten);
    this.#blocked = this.pending > 0;
    return !this.#blocked;
  }

  end(): void {
    if (this.#isOver || this.#isEnding) return;
    this.#isEnding = true;
    this.#isLast = this.#endTold;
    if (this.#isSecure) this.#end();
  }

  reset(): void {
    if (this.#isOver) return;
    if (this.#isShutting) this.#resetOnceShut();
    else this.#socket.reset();
    this.#over({ end: 'aborted', error: undefined });
  }

  release(): void {
    this.#closeTold = true;
    if (this.#isOver) return;
    this.#isLeaving = true;
    if (this.pending > 0) this.reset();
    else if (this.#isFinished) this.#leave();
    else this.end();
  }

  pause(): void {
    this.#paused = true;
    this.#tls.pause();
  }

  resume(): void {
    this.#paused = false;
    if (this.#handlers !== undefined) this.#tls.resume();
    this.#planTurn();
  }

  get #isOver(): boolean {
    return this.#outcome !== undefined;
  }

  get #what(): string {
    return `TLS with ${this.remote.address} port ${this.remote.port}`;
  }

  /** Whether our close_notify and FIN are on their way. */
  get #isShutting(): boolean {
    const { writableEnded, writableFinished, writableLength } = this.#tls;
    return writableEnded && !writableFinished && writableLength === 0;
  }

  #onSecure(): void {
    if (this.#isOver) return;
    this.#timer.cancel();
    try {
      this.#role.onDone(this.#tls);
    } catch (error) {
      this.#lose(toTlsError(error, this.#what));
      return;
    }
    this.#isSecure = true;
    this.#watchDebt();
    if (this.#isEnding) this.#end();
  }

  #end(): void {
    // Node keeps to itself that a close_notify or a FIN could not leave. A write of nothing tells of a reset.
    this.#socket.raw.write(nothing);
    this.#tls.end();
  }

  /** Node tells nothing of what a peer asks of TLS itself. */
  #watchDebt(): void {
    this.#timer = this.#clock.setTimer(debtTime, () => {
      if (owesTooMuch(this.#tls))
        this.#fail('TLB_ERR_TLS', 'the other side asks and does not read the answers');
      else this.#watchDebt();
    });
  }

  #onData(data: Uint8Array): void {
    if (!this.#isOver) this.#handlers?.onData(data);
  }

  #onEnd(): void {
    if (!this.#isSecure) this.#fail('TLB_ERR_TLS', 'the other side ended it during the handshake');
    this.#isEnded = true;
    this.#planTurn();
  }

  readonly #onWritten = (): void => {
    if (!this.#blocked || this.#isOver || this.pending > 0) return;
    this.#blocked = false;
    this.#handlers?.onDrain();
  };

  /** Our FIN has gone, unless there is no connection any more. */
  #onFinish(): void {
    if (this.#isOver || this.#socket.raw.destroyed) return;
    this.#isFinished = true;
    // A peer that had ended long before may well have closed, and answer our end with a reset that means nothing. Of one
    // that did so just now it may mean that it has not got what was written last.
    if (this.#isLeaving || this.#isLast) {
      this.#leave();
      return;
    }
    detach(this.#tls);
    this.#socket.handle({
      borrows: true,
      onData: () => undefined,
      onEnd: () => {
        this.#isEnded = true;
        this.#socket.release();
        this.#over({ end: 'clean', error: undefined });
      },
      onDrain: () => undefined,
      onClose: (end, error) => this.#over({ end, error }),
    });
  }

  readonly #onError = (error: Error): void => {
    this.#lose('syscall' in error ? this.#systemsError(error) : toTlsError(error, this.#what));
  };

  #systemsError(error: Error): NetError {
    return toNetError(error, `lost the connection with ${this.remote.address} port ${this.remote.port}`);
  }

  /** libuv resets no connection that is shutting down, and one whose peer does not read may do so for long. */
  #resetOnceShut(): void {
    const timer = this.#clock.setTimer(shutTime, () => this.#socket.release());
    this.#tls.once('finish', () => {
      detach(this.#tls);
      this.#socket.reset();
      timer.cancel();
    });
    this.#tls.once('close', () => timer.cancel());
  }

  #onClose(): void {
    if (this.#isFinished) return;
    const { errored } = this.#socket.raw;
    this.#lose(errored ? this.#systemsError(errored) : undefined);
  }

  #leave(): void {
    this.#socket.release();
    this.#over({ end: 'clean', error: undefined });
  }

  readonly #planTurn = (): void => {
    if (this.#turnPlanned) return;
    this.#turnPlanned = true;
    setImmediate(this.#takeTurn);
  };

  readonly #takeTurn = (): void => {
    this.#turnPlanned = false;
    this.#tellEnd();
    this.#tellClose();
  };

  #tellEnd(): void {
    const isBroken = this.#outcome !== undefined && this.#outcome.end !== 'clean';
    if (!this.#isEnded || this.#endTold || this.#paused || isBroken || !this.#handlers) return;
    this.#endTold = true;
    this.#handlers.onEnd();
  }

  #tellClose(): void {
    if (this.#outcome === undefined || this.#closeTold || this.#handlers === undefined) return;
    if (this.#outcome.end === 'clean' && !this.#endTold) return;
    this.#closeTold = true;
    this.#handlers.onClose(this.#outcome.end, this.#outcome.error);
  }

  #fail(code: NetErrorCode, reason: string): void {
    this.#lose(new NetError(code, `${this.#what}: ${reason}`));
  }

  /** What TLS wrote last, such as an alert, is still delivered. */
  #lose(error: NetError | undefined): void {
    if (this.#isOver) return;
    this.#socket.release();
    // A peer that ended, and had nothing to miss, may go as it likes.
    const isHarmless = this.#endTold && !this.#isWritten;
    this.#over(isHarmless ? { end: 'clean', error: undefined } : { end: 'reset', error });
  }

  #over(outcome: TlsOutcome): void {
    if (this.#isOver) return;
    this.#outcome = outcome;
    this.#timer.cancel();
    this.#planTurn();
  }
}

/** Takes TLS off a connection, which goes on without it, and is not closed by the TLS socket any more. */
function detach(tls: TLSSocket): void {
  const inner: Partial<Detachable> = tls as object;
  if (!inner._handle) return;
  // Whoever reads next begins anew, and is told of an end once more that was told to TLS.
  inner._handle.readStop();
  inner._handle.reading = false;
  inner._destroySSL?.();
  inner._handle = null;
  // Node's own listener would take away what it has put on the connection beneath.
  tls.removeAllListeners('close');
}
