import { Arena } from './arena.ts';
import { MSG_DONTWAIT, MSG_TRUNC } from './constants.ts';
import type { Libc } from './libc.ts';
import { LocalAddresses, RECEIVED_SIZE, SENT_SIZE } from './local-addresses.ts';
import { type MessageParts, MessageVector } from './message-vector.ts';
import { checkSlot } from './slots.ts';
import { NAME_SIZE, SocketNames } from './socket-names.ts';

export interface BatchSize {
  /** Messages that one call can receive or send. */
  readonly slots?: number;
  /** Bytes of data in a message; what is longer is cut off when received. */
  readonly slotSize?: number;
}

/**
 * Messages that are received and sent many at a time. A slot keeps what was received into it: sent again as it is, it
 * would return to where it came from. So a datagram is relayed by giving its slot another peer, without a copy.
 * Nothing here allocates once the batch is made.
 */
export class MessageBatch {
  readonly slots: number;
  readonly slotSize: number;
  /** The far end of each message: its source when received, its destination when sent. */
  readonly peers: SocketNames;
  /** The near end of each message: its destination when received, its source when sent. */
  readonly locals: LocalAddresses;
  readonly #libc: Libc;
  readonly #data: readonly Uint8Array[];
  readonly #receiving: MessageVector;
  readonly #sending: MessageVector;
  readonly #truncated: Uint8Array;

  constructor(libc: Libc, { slots = 64, slotSize = 65_536 }: BatchSize = {}) {
    this.#libc = libc;
    this.slots = slots;
    this.slotSize = slotSize;
    this.peers = new SocketNames(libc, slots);
    this.locals = new LocalAddresses(libc, slots);
    this.#truncated = new Uint8Array(slots);
    const arena = new Arena(libc, slots * slotSize);
    this.#data = Array.from({ length: slots }, (_, index) =>
      arena.bytes.subarray(index * slotSize, (index + 1) * slotSize),
    );
    const parts = (control: Arena, size: number): MessageParts[] =>
      this.#data.map((_, index) => ({
        name: { arena: this.peers.arena, offset: index * NAME_SIZE, size: NAME_SIZE },
        control: { arena: control, offset: index * size, size },
        data: { arena, offset: index * slotSize, size: slotSize },
      }));
    this.#receiving = new MessageVector(libc, parts(this.locals.received, RECEIVED_SIZE));
    this.#sending = new MessageVector(libc, parts(this.locals.sent, SENT_SIZE));
    for (let index = 0; index < slots; index += 1) this.#sending.setDataLength(index, 0);
  }

  /**
   * Receives into the slots from `from` on, at most `limit` messages, without waiting. The number of messages, or a
   * negative errno: -EAGAIN if there is none.
   */
  receive(fd: number, from: number = 0, limit: number = this.slots - from): number {
    const received = this.#libc.recvmmsg(fd, this.#receiving.addressOf(from, limit), limit, MSG_DONTWAIT);
    for (let index = from; index < from + received; index += 1) this.#accept(index);
    return received;
  }

  /**
   * Sends the slots [from, from + count), in this order, without waiting. The number of messages that have been sent,
   * which may be less than `count`; or, if not even the first could be sent, why not, as a negative errno.
   */
  send(fd: number, from: number, count: number): number {
    const address = this.#sending.addressOf(from, count);
    for (let index = from; index < from + count; index += 1) {
      this.#sending.setNameLength(index, this.peers.byteLength(index));
      this.#sending.setControlLength(index, this.locals.sentLength(index));
    }
    return this.#libc.sendmmsg(fd, address, count, MSG_DONTWAIT);
  }

  /** Bytes of data: those that were received, or those that are to be sent. */
  length(index: number): number {
    checkSlot(index, this.slots);
    return this.#sending.dataLength(index);
  }

  setLength(index: number, length: number): void {
    checkSlot(index, this.slots);
    if (!(length >= 0 && length <= this.slotSize)) {
      throw new RangeError(`${length} bytes do not fit in a slot of ${this.slotSize}`);
    }
    this.#sending.setDataLength(index, length);
  }

  /** Whether the message was longer than a slot. */
  isTruncated(index: number): boolean {
    return this.#truncated[checkSlot(index, this.slots)] === 1;
  }

  /** All bytes of the slot; behind `length` of them is what earlier messages have left. */
  data(index: number): Uint8Array {
    const data = this.#data[index];
    if (data === undefined) throw new RangeError(`no slot ${index} among ${this.slots}`);
    return data;
  }

  /** Makes the message in the slot one of these bytes. Its ends stay as they are. */
  write(index: number, bytes: Uint8Array): void {
    this.setLength(index, bytes.byteLength);
    this.data(index).set(bytes);
  }

  #accept(index: number): void {
    const receiving = this.#receiving;
    const length = receiving.messageLength(index);
    this.#sending.setDataLength(index, length);
    this.#truncated[index] = (receiving.flags(index) & MSG_TRUNC) === 0 ? 0 : 1;
    this.locals.accept(index, receiving.controlLength(index));
    receiving.setNameLength(index, NAME_SIZE);
    receiving.setControlLength(index, RECEIVED_SIZE);
  }
}
