/**
 * Memory that all workers share, in which something is known of addresses: as much as there is room for, the rest is
 * forgotten. An address has a few places, a set, where alone it may stand; what stands there longer than it is of use
 * is written over. So nothing is ever searched through, and nothing grows.
 *
 * An address is known by a tag, a hash of 31 bits, of which another address of the same set has the same once in 2^31.
 * Both hashes depend on a number that nobody outside knows, so none can be made on purpose.
 *
 *   Int32  seed | sets | set 0: place 0, place 1, ... | set 1: ...
 *   place  tag (0 for none) | what is known of the address
 */
import type { AddressWords } from './address-words.ts';

const header = 2;
/** Places of an address. */
export const ways = 8;
/** Addresses that there is room for. */
const places = 65_536;

/** `cells` of 32 bits for each address; `random` is from 0 to below 1. */
export function createAddressTable(cells: number, random: number): SharedArrayBuffer {
  const memory = new SharedArrayBuffer((header + places * cells) * Int32Array.BYTES_PER_ELEMENT);
  new Int32Array(memory).set([Math.floor(random * 2 ** 31), places / ways]);
  return memory;
}

export class AddressTable {
  /** Places lie in here, `width` cells each. */
  readonly cells: Int32Array;
  readonly width: number;
  readonly #seed: number;
  readonly #sets: number;
  #tag = 0;
  #first = 0;

  /** `memory` comes from createAddressTable and may be in use by other threads. */
  constructor(memory: SharedArrayBuffer, width: number) {
    this.cells = new Int32Array(memory);
    this.width = width;
    this.#seed = this.cells[0] ?? 0;
    this.#sets = this.cells[1] ?? 1;
  }

  /** What the address of the last `find` is known by. */
  get tag(): number {
    return this.#tag;
  }

  /** Looks for the leading `bits` of an address, under one of many keys. Returns where its place is, or -1. */
  find(address: AddressWords, bits: number, key: number): number {
    this.#tag = 1 + (address.hash(bits, this.#seed ^ key) % 0x7fff_fffe);
    const set = address.hash(bits, ~this.#seed ^ key) % this.#sets;
    this.#first = header + set * ways * this.width;
    for (let way = 0; way < ways; way += 1) {
      if (Atomics.load(this.cells, this.placeOf(way)) === this.#tag) return this.placeOf(way);
    }
    return -1;
  }

  /** Where a place of the set of the last `find` is. */
  placeOf(way: number): number {
    return this.#first + way * this.width;
  }
}
