import type { Libc } from './libc.ts';

/**
 * Memory whose addresses the kernel is given. It is shared memory because that can neither move nor be detached: it
 * stays where it is for as long as it is referenced, whatever becomes of the views that were handed out.
 */
export class Arena {
  readonly bytes: Uint8Array<SharedArrayBuffer>;
  readonly view: DataView<SharedArrayBuffer>;
  /** The same bytes as 32-bit words. */
  readonly words: Uint32Array<SharedArrayBuffer>;
  readonly #address: bigint;

  /** `size` in bytes. All of them are 0. */
  constructor(libc: Libc, size: number) {
    const memory = new SharedArrayBuffer(Math.ceil(size / 8) * 8);
    this.bytes = new Uint8Array(memory);
    this.view = new DataView(memory);
    this.words = new Uint32Array(memory);
    this.#address = libc.addressOf(this.bytes);
  }

  /** The address of `length` bytes from `offset` on. Throws RangeError unless all of them lie in this memory. */
  addressOf(offset: number, length: number): bigint {
    if (!(offset >= 0 && length >= 0 && offset + length <= this.bytes.byteLength)) {
      throw new RangeError(`${length} bytes at ${offset} do not lie in ${this.bytes.byteLength}`);
    }
    return this.#address + BigInt(offset);
  }

  /** Writes a pointer at `at`, to `length` bytes of `target`, which the caller keeps referenced. */
  setPointer(at: number, target: Arena, offset: number, length: number): void {
    this.view.setBigUint64(at, target.addressOf(offset, length), true);
  }
}
