import type { Socket } from 'node:net';
import type { Endpoint, NetError } from './net.ts';
import { toNetError } from './node-errors.ts';
import type { ReadTarget, TcpReader } from './node-tcp-reader.ts';
import type { TcpEnd, TcpHandlers, TcpSocket } from './tcp.ts';

/** How every socket is made, whoever opens it. */
export const socketOptions = {
  allowHalfOpen: true,
  noDelay: true,
  keepAlive: true,
  /** Milliseconds of silence: less than stateful firewalls commonly allow. */
  keepAliveInitialDelay: 60_000,
} as const;

/** Bytes: whatever is pending makes a socket drain. */
export const writableHighWaterMark = 1;

const nothing = new Uint8Array(0);

interface Outcome {
  readonly end: TcpEnd;
  readonly error: NetError | undefined;
}

/**
 * A connection of node:net. Before version 1.52, libuv takes a reset that it finds together with data for a FIN,
 * unless reading stops at that data. So reading stops at each chunk (TcpReader sees to that) and goes on from a turn
 * of the event loop of its own. What the system says then, end or error, is true in both halves of a connection's
 * life: a write of nothing would tell as well, but only as long as this side has not sent its own FIN.
 */
export class NodeTcpSocket implements TcpSocket, ReadTarget {
  readonly local: Endpoint;
  readonly remote: Endpoint;
  readonly #raw: Socket;
  #handlers: TcpHandlers | undefined;
  #paused = false;
  #isReading = false;
  #aborted = false;
  #blocked = false;
  #turnPlanned = false;
  #endTold = false;
  #closeTold = false;
  #error: NetError | undefined;
  #outcome: Outcome | undefined;

  /** `raw` is connected and reads nothing yet. It was made with the options above and those of `reader`. */
  constructor(raw: Socket, reader: TcpReader, local: Endpoint, remote: Endpoint) {
    this.local = local;
    this.remote = remote;
    this.#raw = raw;
    reader.tell(this);
    // From here on node:net reads when it is resumed and at no other time.
    raw.read(0);
    raw.pause();
    raw.on('error', (error) => {
      this.#error ??= toNetError(error, `lost the connection with ${remote.address} port ${remote.port}`);
    });
    raw.on('drain', this.#onFlushed);
    raw.on('finish', this.#onFlushed);
    raw.on('end', this.#planTurn);
    raw.on('close', () => {
      this.#outcome = { end: this.#endOfBoth(), error: this.#error };
      this.#planTurn();
    });
  }

  /** For TLS on top, which reads and writes by itself until it is done; this socket must have no handlers meanwhile. */
  get raw(): Socket {
    return this.#raw;
  }

  get pending(): number {
    return this.#raw.writableLength;
  }

  get borrows(): boolean {
    return this.#handlers?.borrows === true;
  }

  handle(handlers: TcpHandlers): void {
    this.#handlers = handlers;
    this.#planTurn();
  }

  write(data: Uint8Array): boolean {
    if (this.#raw.writableEnded || this.#raw.destroyed || this.#aborted) return true;
    this.#raw.write(data);
    this.#blocked = this.#raw.writableLength > 0;
    return !this.#blocked;
  }

  end(): void {
    if (this.#aborted || this.#raw.writableEnded) return;
    // Of a reset behind the peer's FIN only a write tells, if of nothing: node:net keeps to itself that no FIN left.
    this.#raw.end(nothing);
  }

  reset(): void {
    const raw = this.#raw;
    if (this.#aborted || raw.destroyed) return;
    this.#aborted = true;
    // libuv refuses to reset a socket that is just about to send its FIN, and node:net loses the descriptor then.
    const isFinishing = raw.writableEnded && !raw.writableFinished && raw.writableLength === 0;
    if (isFinishing) raw.once('finish', () => raw.resetAndDestroy());
    else raw.resetAndDestroy();
  }

  release(): void {
    this.#closeTold = true;
    if (this.pending > 0) this.reset();
    if (this.#aborted) return;
    this.#aborted = true;
    this.#raw.destroy();
  }

  pause(): void {
    this.#paused = true;
    if (this.#isReading) this.#raw.pause();
    this.#isReading = false;
  }

  resume(): void {
    this.#paused = false;
    this.#planTurn();
  }

  onRead(data: Uint8Array): void {
    this.#isReading = false;
    if (!this.#isListening) return;
    this.#handlers?.onData(data);
    this.#planTurn();
  }

  readonly #planTurn = (): void => {
    if (this.#turnPlanned || this.#handlers === undefined) return;
    this.#turnPlanned = true;
    setImmediate(this.#takeTurn);
  };

  readonly #takeTurn = (): void => {
    this.#turnPlanned = false;
    this.#tellEnd();
    this.#tellClose();
    this.#read();
  };

  get #isListening(): boolean {
    return !this.#paused && !this.#aborted;
  }

  #read(): void {
    if (this.#isReading || !this.#isListening || this.#raw.destroyed) return;
    this.#isReading = true;
    this.#raw.resume();
  }

  #tellEnd(): void {
    if (!this.#isListening || this.#endTold || !this.#raw.readableEnded) return;
    this.#endTold = true;
    this.#handlers?.onEnd();
  }

  #tellClose(): void {
    if (this.#outcome === undefined || this.#closeTold) return;
    if (this.#outcome.end === 'clean' && !this.#endTold) return;
    this.#closeTold = true;
    this.#handlers?.onClose(this.#outcome.end, this.#outcome.error);
  }

  readonly #onFlushed = (): void => {
    if (!this.#blocked || this.#aborted) return;
    this.#blocked = false;
    this.#handlers?.onDrain();
  };

  #endOfBoth(): TcpEnd {
    if (this.#aborted) return 'aborted';
    const isWhole = this.#raw.readableEnded && this.#raw.writableFinished && this.#error === undefined;
    return isWhole ? 'clean' : 'reset';
  }
}
