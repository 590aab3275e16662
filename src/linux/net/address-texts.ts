import type { SocketNames } from '../socket-names.ts';

/** Addresses with one hash that are remembered: whoever sends from many of those gets no longer lists for it. */
const maxAlike = 4;

interface Known {
  readonly words: readonly number[];
  readonly scope: number;
  readonly text: string;
}

/** IPv6 addresses, as numbers, and their texts. Looking up allocates nothing. */
export class AddressTexts {
  readonly #maxHashes: number;
  readonly #byHash = new Map<number, readonly Known[]>();

  /** Of that many different hashes none is forgotten; when there are more, all are. */
  constructor(maxHashes: number) {
    this.#maxHashes = maxHashes;
  }

  /** Of the IPv6 address in a slot of `names`. */
  get(names: SocketNames, index: number): string | undefined {
    const alike = this.#byHash.get(hashOf(names, index));
    if (!alike) return undefined;
    for (const known of alike) {
      if (isAt(known, names, index)) return known.text;
    }
    return undefined;
  }

  set(names: SocketNames, index: number, text: string): void {
    const hash = hashOf(names, index);
    const alike = this.#byHash.get(hash) ?? [];
    if (alike.length === 0 && this.#byHash.size >= this.#maxHashes) this.#byHash.clear();
    const words = ([0, 1, 2, 3] as const).map((word) => names.address6(index, word));
    const known = { words, scope: names.scope(index), text };
    this.#byHash.set(hash, [...alike.slice(1 - maxAlike), known]);
  }

  clear(): void {
    this.#byHash.clear();
  }
}

function isAt({ words, scope }: Known, names: SocketNames, index: number): boolean {
  return (
    names.address6(index, 0) === words[0] &&
    names.address6(index, 1) === words[1] &&
    names.address6(index, 2) === words[2] &&
    names.address6(index, 3) === words[3] &&
    names.scope(index) === scope
  );
}

function hashOf(names: SocketNames, index: number): number {
  const left = names.address6(index, 0) ^ Math.imul(names.address6(index, 1), 31) ^ names.scope(index);
  const right = names.address6(index, 2) ^ Math.imul(names.address6(index, 3), 31);
  return Math.imul(left, 0x9e3779b1) ^ Math.imul(right, 0x85ebca6b);
}
