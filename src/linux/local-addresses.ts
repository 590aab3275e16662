import { Arena } from './arena.ts';
import { IPPROTO_IP, IPPROTO_IPV6, IP_PKTINFO, IPV6_PKTINFO } from './constants.ts';
import { controlSpace, findControl, NOT_FOUND, writeControl } from './control-messages.ts';
import { IN6_PKTINFO, IN_PKTINFO } from './layout.ts';
import type { Libc } from './libc.ts';
import { checkSlot } from './slots.ts';

/** Bytes for the control messages of a received datagram: packet info, and what another option may add. */
export const RECEIVED_SIZE = 128;
/** Bytes for the control message of a datagram to send: packet info. */
export const SENT_SIZE = 64;

/**
 * The addresses of this host in a row of messages: to which a received one was sent (known where IP_PKTINFO or
 * IPV6_RECVPKTINFO is set), and from which one is to be sent.
 */
export class LocalAddresses {
  /** Where the kernel writes the control messages of slot i, at i * RECEIVED_SIZE. */
  readonly received: Arena;
  /** What the kernel is told with slot i, at i * SENT_SIZE. */
  readonly sent: Arena;
  readonly #count: number;
  readonly #receivedLengths: Uint32Array;
  readonly #sentLengths: Uint32Array;

  constructor(libc: Libc, count: number) {
    this.#count = count;
    this.received = new Arena(libc, count * RECEIVED_SIZE);
    this.sent = new Arena(libc, count * SENT_SIZE);
    this.#receivedLengths = new Uint32Array(count);
    this.#sentLengths = new Uint32Array(count);
  }

  /** Family of the address that the message was sent to; 0 if it is not known. */
  family(index: number): 0 | 4 | 6 {
    if (this.#info4(index) !== NOT_FOUND) return 4;
    return this.#info6(index) === NOT_FOUND ? 0 : 6;
  }

  /** The IPv4 address that the message was sent to, maybe a broadcast address, as one number. 0 if it is not known. */
  address4(index: number): number {
    const at = this.#info4(index);
    return at === NOT_FOUND ? 0 : this.received.view.getUint32(at + IN_PKTINFO.destination, false);
  }

  /** The IPv4 address of this host to answer from: `address4`, unless that is a broadcast address. 0 if not known. */
  answering4(index: number): number {
    const at = this.#info4(index);
    return at === NOT_FOUND ? 0 : this.received.view.getUint32(at + IN_PKTINFO.local, false);
  }

  /** A quarter of the IPv6 address that the message was sent to, `word` 0 being the leftmost. 0 if it is not known. */
  address6(index: number, word: 0 | 1 | 2 | 3): number {
    const at = this.#info6(index);
    return at === NOT_FOUND ? 0 : this.received.view.getUint32(at + IN6_PKTINFO.address + word * 4, false);
  }

  /** Index of the interface that the message came in through. 0 if it is not known. */
  interfaceIndex(index: number): number {
    const at4 = this.#info4(index);
    if (at4 !== NOT_FOUND) return this.received.view.getUint32(at4 + IN_PKTINFO.interfaceIndex, true);
    const at6 = this.#info6(index);
    return at6 === NOT_FOUND ? 0 : this.received.view.getUint32(at6 + IN6_PKTINFO.interfaceIndex, true);
  }

  /** The 4 or 16 bytes of the address that the message was sent to; none if it is not known. */
  copy(index: number): Uint8Array {
    const at4 = this.#info4(index);
    if (at4 !== NOT_FOUND) {
      return this.received.bytes.slice(at4 + IN_PKTINFO.destination, at4 + IN_PKTINFO.size);
    }
    const at6 = this.#info6(index);
    return at6 === NOT_FOUND ? new Uint8Array() : this.received.bytes.slice(at6, at6 + 16);
  }

  /** Sends the message from this IPv4 address of the host, whatever address its socket is bound to. */
  send4(index: number, address: number): void {
    const at = checkSlot(index, this.#count) * SENT_SIZE;
    const data = writeControl(this.sent, at, IPPROTO_IP, IP_PKTINFO, IN_PKTINFO.size);
    this.sent.view.setUint32(data + IN_PKTINFO.interfaceIndex, 0, true);
    this.sent.view.setUint32(data + IN_PKTINFO.local, address, false);
    this.sent.view.setUint32(data + IN_PKTINFO.destination, 0, false);
    this.#sentLengths[index] = controlSpace(IN_PKTINFO.size);
  }

  /**
   * As `send4`, for the 16 bytes of an IPv6 address; one that is link-local needs the index of its interface. Throws
   * RangeError for any other number of bytes.
   */
  send6(index: number, address: Uint8Array, interfaceIndex: number = 0): void {
    if (address.byteLength !== 16) throw new RangeError(`${address.byteLength} bytes are no IPv6 address`);
    const at = checkSlot(index, this.#count) * SENT_SIZE;
    const data = writeControl(this.sent, at, IPPROTO_IPV6, IPV6_PKTINFO, IN6_PKTINFO.size);
    this.sent.bytes.set(address, data + IN6_PKTINFO.address);
    this.sent.view.setUint32(data + IN6_PKTINFO.interfaceIndex, interfaceIndex, true);
    this.#sentLengths[index] = controlSpace(IN6_PKTINFO.size);
  }

  /** Leaves the choice of the address to send from to the socket and the kernel. */
  clear(index: number): void {
    this.#sentLengths[checkSlot(index, this.#count)] = 0;
  }

  /** The slot has been received into; nothing is to be sent from it in particular. */
  accept(index: number, receivedLength: number): void {
    this.#receivedLengths[checkSlot(index, this.#count)] = Math.min(receivedLength, RECEIVED_SIZE);
    this.#sentLengths[index] = 0;
  }

  /** Bytes of control messages that go with the slot when it is sent. */
  sentLength(index: number): number {
    return this.#sentLengths[checkSlot(index, this.#count)] ?? 0;
  }

  #info4(index: number): number {
    return this.#find(index, IPPROTO_IP, IP_PKTINFO, IN_PKTINFO.size);
  }

  #info6(index: number): number {
    return this.#find(index, IPPROTO_IPV6, IPV6_PKTINFO, IN6_PKTINFO.size);
  }

  #find(index: number, level: number, type: number, size: number): number {
    const length = this.#receivedLengths[checkSlot(index, this.#count)] ?? 0;
    return findControl(this.received, index * RECEIVED_SIZE, length, level, type, size);
  }
}
