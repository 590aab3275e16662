import type { Libc } from '../libc.ts';
import { decodeName, encodeName } from '../name-codec.ts';
import type { SocketNames } from '../socket-names.ts';

/** Addresses that are remembered. Anybody can send from any address: when there are more, all are forgotten. */
const maxKnown = 65_536;

interface Known6 {
  readonly words: readonly [number, number, number, number];
  readonly scope: number;
  readonly text: string;
}

/**
 * Socket addresses between the two forms that they have: numbers in an arena, text in the engine. What was translated
 * once is remembered, so that a datagram allocates nothing.
 */
export class AddressBook {
  readonly #libc: Libc;
  readonly #texts4 = new Map<number, string>();
  /** By a hash of their words. */
  readonly #texts6 = new Map<number, Known6[]>();
  readonly #names = new Map<string, Uint8Array>();

  constructor(libc: Libc) {
    this.#libc = libc;
  }

  /** The address in a slot of `names` as text; '' if there is none. */
  text(names: SocketNames, index: number): string {
    const family = names.family(index);
    if (family === 4) return this.#text4(names, index);
    return family === 6 ? this.#text6(names, index) : '';
  }

  /** The name of a numeric address, with port 0. Undefined if this host has no way to write it. */
  name(address: string): Uint8Array | undefined {
    const known = this.#names.get(address);
    if (known) return known;
    const name = this.#tryEncode(address);
    if (!name) return undefined;
    if (this.#names.size >= maxKnown) this.#names.clear();
    this.#names.set(address, name);
    return name;
  }

  #tryEncode(address: string): Uint8Array | undefined {
    try {
      return encodeName(this.#libc, { address, port: 0 });
    } catch (error) {
      if (error instanceof TypeError) return undefined;
      throw error;
    }
  }

  #text4(names: SocketNames, index: number): string {
    // As a signed number, which a map finds without boxing it.
    const key = names.address4(index) | 0;
    const known = this.#texts4.get(key);
    if (known !== undefined) return known;
    if (this.#texts4.size >= maxKnown) this.#texts4.clear();
    const text = decodeName(this.#libc, names.copy(index)).address;
    this.#texts4.set(key, text);
    return text;
  }

  #text6(names: SocketNames, index: number): string {
    const [a, b] = [names.address6(index, 0), names.address6(index, 1)];
    const [c, d] = [names.address6(index, 2), names.address6(index, 3)];
    const scope = names.scope(index);
    const hash =
      Math.imul(a ^ Math.imul(b, 31) ^ scope, 0x9e3779b1) ^ Math.imul(c ^ Math.imul(d, 31), 0x85ebca6b);
    for (const known of this.#texts6.get(hash) ?? []) {
      const [w, x, y, z] = known.words;
      if (w === a && x === b && y === c && z === d && known.scope === scope) return known.text;
    }
    if (this.#texts6.size >= maxKnown) this.#texts6.clear();
    const text = decodeName(this.#libc, names.copy(index)).address;
    const bucket = this.#texts6.get(hash) ?? [];
    // Whoever finds addresses with one hash gets no longer lists for it.
    this.#texts6.set(hash, [...bucket.slice(-3), { words: [a, b, c, d], scope, text }]);
    return text;
  }
}
