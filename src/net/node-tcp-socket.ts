import type { Socket } from 'node:net';
import type { Endpoint, NetError } from './net.ts';
import { toNetError } from './node-errors.ts';
import type { TcpEnd, TcpHandlers, TcpSocket } from './tcp.ts';

/** How every socket is made, whoever opens it. */
export const socketOptions = {
  allowHalfOpen: true,
  noDelay: true,
  keepAlive: true,
  /** Milliseconds of silence: less than stateful firewalls commonly allow. */
  keepAliveInitialDelay: 60_000,
} as const;

/**
 * For both directions: a socket stops reading with each chunk until that is taken, and counts as blocked as soon as
 * the system does not take all that is written. The class below depends on the first.
 */
export const highWaterMark = 1;

interface Outcome {
  readonly end: TcpEnd;
  readonly error: NetError | undefined;
}

/**
 * A connection of node:net. libuv before 1.52 takes a reset that it reads together with data for a FIN, unless
 * reading stops at that data. So reading stops at each chunk (by the high-water mark), and goes on from a turn of the
 * event loop of its own; what the system then says is `end` or `error`, and true.
 */
export class NodeTcpSocket implements TcpSocket {
  readonly local: Endpoint;
  readonly remote: Endpoint;
  readonly #raw: Socket;
  #handlers: TcpHandlers | undefined;
  #paused = false;
  #taking = false;
  #blocked = false;
  #aborted = false;
  #error: NetError | undefined;
  #outcome: Outcome | undefined;

  /** `raw` is connected, reads nothing yet, and was made with the options above. */
  constructor(raw: Socket, local: Endpoint, remote: Endpoint) {
    this.local = local;
    this.remote = remote;
    this.#raw = raw;
    raw.on('error', (error) => {
      this.#error ??= toNetError(error, `lost the connection with ${remote.address} port ${remote.port}`);
    });
    raw.on('drain', () => this.#drained());
    raw.on('end', () => {
      if (!this.#aborted) this.#handlers?.onEnd();
    });
    raw.on('close', () => this.#close());
  }

  get pending(): number {
    return this.#raw.writableLength;
  }

  handle(handlers: TcpHandlers): void {
    const first = this.#handlers === undefined;
    this.#handlers = handlers;
    if (!first) return;
    if (this.#outcome !== undefined) setImmediate(() => this.#tell());
    else this.#raw.on('readable', () => this.#takeSoon());
  }

  write(data: Uint8Array): boolean {
    if (this.#raw.writableEnded || this.#raw.destroyed || this.#aborted) return true;
    this.#raw.write(data);
    this.#blocked = this.#raw.writableLength > 0;
    return !this.#blocked;
  }

  end(): void {
    if (!this.#aborted) this.#raw.end();
  }

  reset(): void {
    const raw = this.#raw;
    if (this.#aborted || raw.destroyed) return;
    this.#aborted = true;
    // libuv refuses to reset a socket whose FIN it is just about to send, and node:net loses the descriptor then.
    const finishing = raw.writableEnded && !raw.writableFinished && raw.writableLength === 0;
    if (finishing) raw.once('finish', () => raw.resetAndDestroy());
    else raw.resetAndDestroy();
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.#takeSoon();
  }

  #takeSoon(): void {
    if (this.#paused || this.#taking || this.#handlers === undefined) return;
    this.#taking = true;
    setImmediate(this.#take);
  }

  readonly #take = (): void => {
    this.#taking = false;
    if (this.#paused || this.#aborted || this.#raw.destroyed) return;
    const data: Buffer | null = this.#raw.read();
    if (data !== null) this.#handlers?.onData(data);
  };

  #drained(): void {
    if (!this.#blocked || this.#aborted) return;
    this.#blocked = false;
    this.#handlers?.onDrain();
  }

  #close(): void {
    this.#outcome = { end: this.#endOfBoth(), error: this.#error };
    if (this.#handlers !== undefined) this.#tell();
  }

  #endOfBoth(): TcpEnd {
    if (this.#aborted) return 'aborted';
    const whole = this.#raw.readableEnded && this.#raw.writableFinished && this.#error === undefined;
    return whole ? 'clean' : 'reset';
  }

  #tell(): void {
    if (this.#outcome !== undefined) this.#handlers?.onClose(this.#outcome.end, this.#outcome.error);
  }
}
