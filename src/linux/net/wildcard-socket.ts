import { isIPv4 } from 'node:net';
import { SOCKADDR_IN, SOCKADDR_IN6 } from '../layout.ts';
import type { Libc } from '../libc.ts';
import type { LocalAddresses } from '../local-addresses.ts';
import { encodeName } from '../name-codec.ts';
import { formatEndpoint, NetError, type UdpHandlers, type UdpSocket } from '../../net/net.ts';
import { DatagramSocket, type SocketUser } from './datagram-socket.ts';
import { datagramError, orNetError } from './open-socket.ts';
import type { Owner } from './outbox.ts';
import type { LoopParts } from './parts.ts';
import type { SourceAddress } from './sender.ts';

/**
 * A socket that is bound to no address. The kernel tells with each datagram which address of this host it was sent to
 * (IP_PKTINFO), and takes the one to answer from: so it serves as one socket for each address, without the others
 * noticing when an address comes or goes.
 */
export class WildcardSocket implements SocketUser {
  readonly #parts: LoopParts;
  readonly #socket: DatagramSocket;
  readonly #onClosed: () => void;
  readonly #locals4 = new Map<number, LocalSocket>();
  /** A host has few. */
  #locals6: readonly LocalSocket[] = [];

  /**
   * Takes over `fd`, which is bound and has its packet info on. It is closed with the last of the sockets that it
   * serves as, and `onClosed` is called then. Throws NetError, having closed it.
   */
  constructor(parts: LoopParts, fd: number, onClosed: () => void) {
    this.#parts = parts;
    this.#onClosed = onClosed;
    this.#socket = new DatagramSocket(parts, fd, false, this);
  }

  /** A socket for one address of this host. Throws NetError. */
  at(address: string, handlers: UdpHandlers): UdpSocket {
    const attempt = `cannot listen at ${formatEndpoint(address, this.#socket.port)}`;
    const source = orNetError(attempt, () => sourceOf(this.#parts.libc, address));
    if (this.#locals.some((other) => other.address === address)) {
      throw new NetError('TLB_ERR_ADDRESS_IN_USE', `${attempt}: another socket holds this address and port`);
    }
    const local: LocalSocket = new LocalSocket(this.#socket, address, source, handlers, () => {
      if (source.family === 4) this.#locals4.delete(source.address | 0);
      else this.#locals6 = this.#locals6.filter((other) => other !== local);
      if (this.#locals.length === 0) this.close();
    });
    if (source.family === 4) this.#locals4.set(source.address | 0, local);
    else this.#locals6 = [...this.#locals6, local];
    return local;
  }

  onDatagram(data: Uint8Array, port: number, address: string, slot: number): void {
    this.#local(slot)?.handlers.onDatagram(data, port, address);
  }

  onRefused(): void {}

  onUnreceived(errno: number): void {
    for (const local of this.#locals) local.onUnreceived(errno);
  }

  close(): void {
    this.#onClosed();
    this.#socket.close();
  }

  get #locals(): LocalSocket[] {
    return [...this.#locals4.values(), ...this.#locals6];
  }

  /** Undefined for an address that nobody has asked for, as one that has just come, and for broadcasts. */
  #local(slot: number): LocalSocket | undefined {
    const { locals } = this.#parts.loop.batch;
    if (locals.family(slot) === 4) return this.#locals4.get(locals.address4(slot) | 0);
    return this.#locals6.find((local) => local.is6(locals, slot));
  }
}

class LocalSocket implements UdpSocket, Owner {
  readonly address: string;
  readonly handlers: UdpHandlers;
  readonly #socket: DatagramSocket;
  readonly #source: SourceAddress;
  readonly #onClosed: () => void;
  #isOpen = true;

  constructor(
    socket: DatagramSocket,
    address: string,
    source: SourceAddress,
    handlers: UdpHandlers,
    onClosed: () => void,
  ) {
    this.address = address;
    this.handlers = handlers;
    this.#socket = socket;
    this.#source = source;
    this.#onClosed = onClosed;
  }

  get port(): number {
    return this.#socket.port;
  }

  /** Whether the datagram in the slot was sent to this IPv6 address. */
  is6(locals: LocalAddresses, slot: number): boolean {
    if (this.#source.family === 4) return false;
    const { words, scope } = this.#source;
    return (
      locals.address6(slot, 0) === words[0] &&
      locals.address6(slot, 1) === words[1] &&
      locals.address6(slot, 2) === words[2] &&
      locals.address6(slot, 3) === words[3] &&
      (scope === 0 || locals.interfaceIndex(slot) === scope)
    );
  }

  send(data: Uint8Array, port: number, address: string): void {
    if (this.#isOpen) this.#socket.send(data, port, address, this, this.#source);
  }

  onUnsent(errno: number): void {
    this.#fail(errno, 'cannot send from');
  }

  onUnreceived(errno: number): void {
    this.#fail(errno, 'cannot receive at');
  }

  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#onClosed();
  }

  #fail(errno: number, attempt: string): void {
    if (!this.#isOpen) return;
    this.handlers.onError(datagramError(errno, `${attempt} ${this.address} port ${this.port}`));
  }
}

/** Throws TypeError if the address is not numeric. */
function sourceOf(libc: Libc, address: string): SourceAddress {
  const name = encodeName(libc, { address, port: 0 });
  const view = new DataView(name.buffer, name.byteOffset);
  if (isIPv4(address)) return { family: 4, address: view.getUint32(SOCKADDR_IN.address) };
  const at = SOCKADDR_IN6.address;
  const words = [0, 4, 8, 12].map((offset) => view.getUint32(at + offset));
  const scope = view.getUint32(SOCKADDR_IN6.scope, true);
  return { family: 6, address: name.slice(at, at + 16), words, scope };
}
