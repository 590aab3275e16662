import { Duplex } from 'node:stream';
import type { NetError } from './net.ts';
import { Scratch } from './scratch.ts';
import type { TcpEnd, TcpHandlers, TcpSocket } from './tcp.ts';

export interface TransportOwner {
  /** All that the peer sent was handed over, and then it sent its FIN. */
  onTransportEnd(): void;
  onTransportClose(end: TcpEnd, error?: NetError): void;
  /** Calls `read`, within which the TLS socket says all that one read from the network amounts to. */
  gather(read: () => void): void;
}

/** Bytes that are kept for a peer to which only TLS itself writes: more than all tickets. */
const mostHeld = 65_536;

/** One for all connections: what is written at once is not needed any more. */
const scratch = new Scratch();

/**
 * What a TLS socket of Node reads from and writes to: a connection of the seam as a stream. It never says that the
 * peer has ended, as the TLS socket would take that for a clean end; its owner is told.
 */
export class TlsTransport extends Duplex implements TcpHandlers {
  readonly borrows = true;
  /** So much was handed to the connection, sent or pending. */
  bytesWritten = 0;
  readonly #socket: TcpSocket;
  readonly #owner: TransportOwner;
  #onWritten: (() => void) | undefined;
  #held: Uint8Array[] | undefined;
  #heldLength = 0;

  constructor(socket: TcpSocket, owner: TransportOwner) {
    super({ autoDestroy: false, readableHighWaterMark: 1, writableHighWaterMark: 1 });
    this.#socket = socket;
    this.#owner = owner;
    socket.handle(this);
  }

  onData(data: Uint8Array): void {
    // What is read at once is copied at once, as OpenSSL has a buffer of its own.
    const isReadAtOnce = this.readableFlowing === true && this.readableLength === 0;
    const chunk = isReadAtOnce ? data : new Uint8Array(data);
    this.#owner.gather(() => {
      if (!this.push(chunk)) this.#socket.pause();
    });
  }

  onEnd(): void {
    this.#owner.onTransportEnd();
  }

  onDrain(): void {
    const onWritten = this.#onWritten;
    this.#onWritten = undefined;
    onWritten?.();
  }

  onClose(end: TcpEnd, error?: NetError): void {
    this.#owner.onTransportClose(end, error);
  }

  override _read(): void {
    this.#socket.resume();
  }

  override _write(data: Uint8Array, _encoding: BufferEncoding, onWritten: () => void): void {
    this.#write(data, onWritten);
  }

  override _writev(chunks: { chunk: Buffer }[], onWritten: () => void): void {
    const joined = scratch.join(chunks.map(({ chunk }) => chunk));
    this.#write(joined, onWritten);
    if (this.#onWritten) scratch.giveAway();
  }

  override _final(onFinal: () => void): void {
    this.#socket.end();
    onFinal();
  }

  /** Whether the connection takes no more now. */
  get isBlocked(): boolean {
    return this.#onWritten !== undefined;
  }

  /** Keeps what is written from now on, as far as it is not much. */
  hold(): void {
    this.#held ??= [];
  }

  /** Writes what was kept, and keeps nothing any more. */
  release(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    this.#heldLength = 0;
    for (const data of held) this.#socket.write(data);
  }

  #write(data: Uint8Array, onWritten: () => void): void {
    this.bytesWritten += data.length;
    if (this.#heldLength + data.length > mostHeld) this.release();
    if (this.#held) {
      this.#heldLength += data.length;
      // The buffer may be used again.
      this.#held.push(new Uint8Array(data));
      onWritten();
    } else if (this.#socket.write(data)) onWritten();
    else this.#onWritten = onWritten;
  }
}
