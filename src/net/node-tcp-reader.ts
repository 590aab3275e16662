import type { OnReadOpts } from 'node:net';

/** Who gets what is read. */
export interface ReadTarget {
  /** Whether it does without data of its own: see TcpHandlers. */
  readonly borrows: boolean;
  onRead(data: Uint8Array): void;
}

/** Read into and copied from at once, so that one is enough for all connections that have no buffer of their own. */
const shared: Uint8Array = Buffer.allocUnsafeSlow(65_536);
/** Bytes. What is moved in bulk costs half as much with reads of this size as with those of the shared buffer. */
const ownLength = 262_144;

/**
 * Where the bytes of one connection are read into. Without it node:net allocates 64 KiB for each read, for good, which
 * costs more than the read. Here a borrower gets a buffer of its own as soon as it has filled the shared one, and reads
 * into it again and again; everybody else gets a copy of what was read.
 */
export class TcpReader {
  /** As node:net wants it. Reading stops after each read. */
  readonly options: OnReadOpts = {
    buffer: () => this.#buffer,
    callback: (length) => {
      this.#onRead(length);
      return false;
    },
  };
  #buffer = shared;
  #target: ReadTarget | undefined;

  /** Before anything is read. */
  tell(target: ReadTarget): void {
    this.#target = target;
  }

  #onRead(length: number): void {
    if (this.#target === undefined) return;
    const data = this.#buffer.subarray(0, length);
    const isShared = this.#buffer === shared;
    const isLent = this.#target.borrows && !isShared;
    this.#target.onRead(isLent ? data : new Uint8Array(data));
    if (this.#target.borrows && isShared && length === shared.length)
      this.#buffer = Buffer.allocUnsafeSlow(ownLength);
  }
}
