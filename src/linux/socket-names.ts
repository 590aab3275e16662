import { Arena } from './arena.ts';
import { AF_INET, AF_INET6 } from './constants.ts';
import { SOCKADDR_IN, SOCKADDR_IN6 } from './layout.ts';
import type { Libc } from './libc.ts';
import { checkSlot } from './slots.ts';

/** Bytes that a name takes in an arena: sockaddr_in6, the longer one, on whole words. */
export const NAME_SIZE = 32;

const zeros: Uint8Array = new Uint8Array(NAME_SIZE);

/** A row of socket addresses, read and written as numbers, so that a datagram costs no string. */
export class SocketNames {
  /** Name i lies at i * NAME_SIZE. */
  readonly arena: Arena;
  readonly #slots: readonly Uint8Array[];

  constructor(libc: Libc, count: number) {
    this.arena = new Arena(libc, count * NAME_SIZE);
    this.#slots = Array.from({ length: count }, (_, index) =>
      this.arena.bytes.subarray(index * NAME_SIZE, (index + 1) * NAME_SIZE),
    );
  }

  /** 0 if the slot has no address. */
  family(index: number): 0 | 4 | 6 {
    const family = this.arena.view.getUint16(this.#at(index), true);
    if (family === AF_INET) return 4;
    return family === AF_INET6 ? 6 : 0;
  }

  port(index: number): number {
    return this.arena.view.getUint16(this.#at(index) + SOCKADDR_IN.port, false);
  }

  /** An IPv4 address as one number: 127.0.0.1 is 0x7f000001. */
  address4(index: number): number {
    return this.arena.view.getUint32(this.#at(index) + SOCKADDR_IN.address, false);
  }

  /** A quarter of an IPv6 address as a number, `word` 0 being the leftmost. */
  address6(index: number, word: 0 | 1 | 2 | 3): number {
    return this.arena.view.getUint32(this.#at(index) + SOCKADDR_IN6.address + word * 4, false);
  }

  /** Index of the interface that a link-local IPv6 address belongs to; 0 for all others. */
  scope(index: number): number {
    return this.arena.view.getUint32(this.#at(index) + SOCKADDR_IN6.scope, true);
  }

  /** Bytes that the kernel is told; 0 if the slot has no address. */
  byteLength(index: number): number {
    const family = this.family(index);
    if (family === 4) return SOCKADDR_IN.size;
    return family === 6 ? SOCKADDR_IN6.size : 0;
  }

  /** A copy, as `encodeName` would make it. */
  copy(index: number): Uint8Array {
    return this.#slot(index).slice(0, this.byteLength(index));
  }

  /** Takes over a name from `encodeName` or `copy`. Throws RangeError if its length is not that of its family. */
  set(index: number, name: Uint8Array): void {
    const family = (name[0] ?? 0) | ((name[1] ?? 0) << 8);
    const length = family === AF_INET6 ? SOCKADDR_IN6.size : SOCKADDR_IN.size;
    if ((family !== AF_INET && family !== AF_INET6) || name.byteLength !== length) {
      throw new RangeError(`${name.byteLength} bytes are no socket address of family ${family}`);
    }
    this.#slot(index).set(name);
  }

  setPort(index: number, port: number): void {
    this.arena.view.setUint16(this.#at(index) + SOCKADDR_IN.port, port, false);
  }

  set4(index: number, address: number, port: number): void {
    const at = this.#at(index);
    const view = this.arena.view;
    view.setUint16(at, AF_INET, true);
    view.setUint16(at + SOCKADDR_IN.port, port, false);
    view.setUint32(at + SOCKADDR_IN.address, address, false);
  }

  clear(index: number): void {
    this.#slot(index).set(zeros);
  }

  #at(index: number): number {
    return checkSlot(index, this.#slots.length) * NAME_SIZE;
  }

  #slot(index: number): Uint8Array {
    const slot = this.#slots[index];
    if (slot === undefined) throw new RangeError(`no slot ${index} among ${this.#slots.length}`);
    return slot;
  }
}
