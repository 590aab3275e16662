import { AddressWords } from './address-words.ts';
import type { Network } from './network.ts';

/** Networks that are looked through for an address: a few steps, whatever their number, and no allocation. */
export class NetworkSet {
  readonly #ipv4: SortedNetworks;
  readonly #ipv6: SortedNetworks;

  /** Throws RangeError for a network whose address is none. */
  constructor(networks: readonly Network[]) {
    const read = networks.map(masked);
    this.#ipv4 = new SortedNetworks(read.filter(({ family }) => family === 4));
    this.#ipv6 = new SortedNetworks(read.filter(({ family }) => family === 6));
  }

  /** Families never match each other. */
  has(address: AddressWords): boolean {
    return (address.family === 4 ? this.#ipv4 : this.#ipv6).has(address);
  }
}

interface MaskedNetwork {
  readonly family: 4 | 6;
  /** Leading bits of the four words that count. */
  readonly bits: number;
  readonly words: readonly number[];
}

function masked({ address, prefix }: Network): MaskedNetwork {
  const read = new AddressWords();
  if (!read.read(address)) throw new RangeError(`no network begins with ${address}`);
  const bits = read.family === 4 ? 96 + prefix : prefix;
  return { family: read.family, bits, words: [0, 1, 2, 3].map((at) => read.masked(at, bits) >>> 0) };
}

/** Disjoint networks in the order of their first addresses: only the last that begins before an address can have it. */
class SortedNetworks {
  /** Four words for each. */
  readonly #firsts: Uint32Array;
  readonly #bits: Uint8Array;

  constructor(networks: readonly MaskedNetwork[]) {
    const kept: MaskedNetwork[] = [];
    for (const network of networks.toSorted(inOrder)) {
      const last = kept.at(-1);
      // Networks lie within each other or apart; the wider one stands before what is within it.
      if (!last || !isWithin(network, last)) kept.push(network);
    }
    this.#firsts = Uint32Array.from(kept.flatMap(({ words }) => words));
    this.#bits = Uint8Array.from(kept.map(({ bits }) => bits));
  }

  has(address: AddressWords): boolean {
    let low = 0;
    let high = this.#bits.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#isBehind(middle, address)) high = middle;
      else low = middle + 1;
    }
    return low > 0 && this.#covers(low - 1, address);
  }

  #isBehind(place: number, address: AddressWords): boolean {
    for (let at = 0; at < 4; at += 1) {
      const difference = (this.#firsts[4 * place + at] ?? 0) - ((address.words[at] ?? 0) >>> 0);
      if (difference !== 0) return difference > 0;
    }
    return false;
  }

  #covers(place: number, address: AddressWords): boolean {
    const bits = this.#bits[place] ?? 0;
    for (let at = 0; at < 4; at += 1) {
      if (address.masked(at, bits) >>> 0 !== this.#firsts[4 * place + at]) return false;
    }
    return true;
  }
}

function inOrder(one: MaskedNetwork, other: MaskedNetwork): number {
  for (let at = 0; at < 4; at += 1) {
    const difference = (one.words[at] ?? 0) - (other.words[at] ?? 0);
    if (difference !== 0) return difference;
  }
  return one.bits - other.bits;
}

function isWithin(inner: MaskedNetwork, outer: MaskedNetwork): boolean {
  return inner.words.every((word, at) => {
    const left = Math.min(32, outer.bits - 32 * at);
    const mask = left <= 0 ? 0 : (-1 << (32 - left)) >>> 0;
    return (word & mask) >>> 0 === (outer.words[at] ?? 0);
  });
}
