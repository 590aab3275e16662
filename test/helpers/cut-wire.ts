import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';

/**
 * Stands between TLS and its connection, where what was encrypted can be cut off at any byte. TLS is never told that
 * the connection has ended, so what it takes for an end is a close_notify.
 */
export class CutWire extends Duplex {
  readonly raw: Socket;
  #left = Infinity;

  constructor(raw: Socket) {
    super();
    this.raw = raw;
    raw.on('data', (data: Buffer) => {
      if (!this.push(data)) raw.pause();
    });
  }

  /** Bytes that the system has taken. */
  get sent(): number {
    return this.raw.bytesWritten - this.raw.writableLength;
  }

  /** Only so many bytes go out from now on; the others are lost. */
  cutAfter(count: number): void {
    this.#left = count;
  }

  override _read(): void {
    this.raw.resume();
  }

  override _write(data: Uint8Array, _encoding: BufferEncoding, onWritten: () => void): void {
    const part = data.subarray(0, this.#left);
    this.#left -= part.length;
    if (part.length === 0) onWritten();
    // Of a connection that is gone, others are told.
    else this.raw.write(part, () => onWritten());
  }

  override _final(onFinal: () => void): void {
    this.raw.end();
    onFinal();
  }
}
