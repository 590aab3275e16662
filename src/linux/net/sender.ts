import { EINVAL, EMSGSIZE } from '../constants.ts';
import type { LocalAddresses } from '../local-addresses.ts';
import type { Libc } from '../libc.ts';
import { MessageBatch } from '../message-batch.ts';
import type { SocketNames } from '../socket-names.ts';
import type { AddressBook, AddressName } from './address-book.ts';
import type { EventLoop } from './event-loop.ts';
import { type Exit, Outbox, type Owner } from './outbox.ts';

/** The address of this host that a datagram is sent from, where its socket is bound to none. */
export type SourceAddress =
  | { readonly family: 4; readonly address: number }
  | {
      readonly family: 6;
      /** 16 bytes. */
      readonly address: Uint8Array;
      /** The same as four numbers, the leftmost first. */
      readonly words: readonly number[];
      /** Index of the interface that a link-local address belongs to; 0 for all others. */
      readonly scope: number;
    };

/**
 * Sends datagrams. One that has just been received leaves from the slot where it lies, after the round; all others are
 * copied and leave at once.
 */
export class Sender {
  readonly #loop: EventLoop;
  readonly #book: AddressBook;
  readonly #spare: MessageBatch;
  readonly #spareBox: Outbox;

  constructor(libc: Libc, loop: EventLoop, book: AddressBook) {
    this.#loop = loop;
    this.#book = book;
    this.#spare = new MessageBatch(libc, { slots: 1 });
    this.#spareBox = new Outbox(this.#spare, (callback) => loop.later(callback));
  }

  /** Throws nothing; failures reach `owner` after the call. */
  send(
    exit: Exit,
    data: Uint8Array,
    port: number,
    address: string,
    owner: Owner,
    from: SourceAddress | undefined,
  ): void {
    const name = this.#book.name(address);
    if (name === undefined || !isPort(port)) return this.#fail(owner, EINVAL);
    const { batch, outbox } = this.#loop;
    const slot = this.#loop.slotOf(data);
    if (slot >= 0) {
      if (outbox.has(slot)) outbox.flush();
      setPeer(batch.peers, slot, name, port);
      setSource(batch.locals, slot, from);
      outbox.put(exit, slot, owner);
      return;
    }
    if (data.length > this.#spare.slotSize) return this.#fail(owner, EMSGSIZE);
    outbox.flush();
    this.#spare.write(0, data);
    setPeer(this.#spare.peers, 0, name, port);
    setSource(this.#spare.locals, 0, from);
    this.#spareBox.put(exit, 0, owner);
    this.#spareBox.flush();
  }

  #fail(owner: Owner, errno: number): void {
    this.#loop.later(() => owner.onUnsent(errno));
  }
}

/** Whether a datagram can be sent to such a port. */
export function isPort(port: number): boolean {
  return Number.isInteger(port) && port >= 1 && port <= 0xffff;
}

function setPeer(peers: SocketNames, slot: number, name: AddressName, port: number): void {
  if (typeof name === 'number') {
    peers.set4(slot, name, port);
  } else {
    peers.set(slot, name);
    peers.setPort(slot, port);
  }
}

function setSource(locals: LocalAddresses, slot: number, from: SourceAddress | undefined): void {
  if (from === undefined) locals.clear(slot);
  else if (from.family === 4) locals.send4(slot, from.address);
  else locals.send6(slot, from.address, from.scope);
}
