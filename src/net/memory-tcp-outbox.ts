import type { MemoryTcpPath } from './memory-tcp-path.ts';

/** Bytes that may be on their way or wait unread at the other end; what is written beyond them is pending here. */
const windowSize = 65_536;
/** As on Ethernet over IPv4. */
const segmentSize = 1460;

/** What one end has to send, and how much of it the other end has room for. */
export class MemoryTcpOutbox {
  readonly #path: MemoryTcpPath;
  readonly #chunks: Uint8Array[] = [];
  #pending = 0;
  #outstanding = 0;
  #ending = false;
  #finSent = false;

  constructor(path: MemoryTcpPath) {
    this.#path = path;
  }

  /** Bytes that wait for room. */
  get pending(): number {
    return this.#pending;
  }

  /** No more can be added. */
  get ending(): boolean {
    return this.#ending;
  }

  get finSent(): boolean {
    return this.#finSent;
  }

  add(data: Uint8Array): void {
    if (data.length === 0) return;
    this.#chunks.push(data);
    this.#pending += data.length;
    this.#send();
  }

  end(): void {
    this.#ending = true;
    this.#send();
  }

  /** The other end has handed `bytes` to its receiver. */
  taken(bytes: number): void {
    this.#outstanding -= bytes;
    this.#send();
  }

  /** Throws away what is pending. */
  clear(): void {
    this.#chunks.length = 0;
    this.#pending = 0;
  }

  #send(): void {
    for (
      let [next] = this.#chunks;
      next !== undefined && this.#outstanding < windowSize;
      [next] = this.#chunks
    ) {
      const length = Math.min(next.length, segmentSize, windowSize - this.#outstanding);
      this.#path.send({ kind: 'data', data: new Uint8Array(next.subarray(0, length)) });
      this.#outstanding += length;
      this.#pending -= length;
      if (length === next.length) this.#chunks.shift();
      else this.#chunks[0] = next.subarray(length);
    }
    if (!this.#ending || this.#finSent || this.#pending > 0) return;
    this.#finSent = true;
    this.#path.send({ kind: 'fin' });
  }
}
