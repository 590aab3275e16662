import { Arena } from './arena.ts';
import { IOVEC, MMSGHDR } from './layout.ts';
import type { Libc } from './libc.ts';

/** Where the parts of one message lie: in which arena, at which offset, and how many bytes there are. */
export interface Part {
  readonly arena: Arena;
  readonly offset: number;
  readonly size: number;
}

/** The parts of the message in one slot. */
export interface MessageParts {
  readonly name: Part;
  readonly control: Part;
  readonly data: Part;
}

const WORD = 4;
const HEADER_WORDS = MMSGHDR.size / WORD;
const IOVEC_WORDS = IOVEC.size / WORD;

/**
 * A row of mmsghdrs with one iovec each, as recvmmsg and sendmmsg take it. Pointers are written once; only lengths
 * change. Lengths of 8 bytes have their upper half always 0.
 */
export class MessageVector {
  readonly #headers: Arena;
  readonly #vectors: Arena;
  readonly #addresses: readonly bigint[];
  /** Referenced because the kernel knows their addresses. */
  readonly #parts: readonly MessageParts[];

  constructor(libc: Libc, parts: readonly MessageParts[]) {
    this.#parts = parts;
    this.#headers = new Arena(libc, parts.length * MMSGHDR.size);
    this.#vectors = new Arena(libc, parts.length * IOVEC.size);
    for (const [index, part] of parts.entries()) this.#layOut(index, part);
    this.#addresses = parts.map((_, index) => this.#headers.addressOf(index * MMSGHDR.size, MMSGHDR.size));
  }

  /** Address of the headers from `from` on. Throws RangeError unless `count` of them, and at least one, are there. */
  addressOf(from: number, count: number): bigint {
    const address = this.#addresses[from];
    if (address === undefined || !Number.isInteger(count) || count < 1 || from + count > this.#parts.length) {
      throw new RangeError(`no ${count} slots from ${from} on among ${this.#parts.length}`);
    }
    return address;
  }

  /** Bytes of the name, or of the room for it. */
  setNameLength(index: number, length: number): void {
    this.#headers.words[index * HEADER_WORDS + MMSGHDR.nameLength / WORD] = length;
  }

  /** Bytes of control messages that were received. */
  controlLength(index: number): number {
    return this.#header(index, MMSGHDR.controlLength);
  }

  setControlLength(index: number, length: number): void {
    this.#headers.words[index * HEADER_WORDS + MMSGHDR.controlLength / WORD] = length;
  }

  /** Bytes of data that are to be sent. Unchecked. */
  setDataLength(index: number, length: number): void {
    this.#vectors.words[index * IOVEC_WORDS + IOVEC.length / WORD] = length;
  }

  dataLength(index: number): number {
    return this.#vectors.words[index * IOVEC_WORDS + IOVEC.length / WORD] ?? 0;
  }

  /** Flags of a received message. */
  flags(index: number): number {
    return this.#header(index, MMSGHDR.flags);
  }

  /** Bytes of data that were received. */
  messageLength(index: number): number {
    return this.#header(index, MMSGHDR.messageLength);
  }

  #header(index: number, field: number): number {
    return this.#headers.words[index * HEADER_WORDS + field / WORD] ?? 0;
  }

  #layOut(index: number, { name, control, data }: MessageParts): void {
    const header = index * MMSGHDR.size;
    const vector = index * IOVEC.size;
    this.#headers.setPointer(header + MMSGHDR.name, name.arena, name.offset, name.size);
    this.#headers.setPointer(header + MMSGHDR.control, control.arena, control.offset, control.size);
    this.#headers.setPointer(header + MMSGHDR.vector, this.#vectors, vector, IOVEC.size);
    this.#headers.view.setUint32(header + MMSGHDR.vectorLength, 1, true);
    this.#vectors.setPointer(vector + IOVEC.base, data.arena, data.offset, data.size);
    this.setNameLength(index, name.size);
    this.setControlLength(index, control.size);
    this.setDataLength(index, data.size);
  }
}
