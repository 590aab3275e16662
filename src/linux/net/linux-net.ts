/** The operating system's UDP for one thread, reached through system calls: sockets that sessions share, and batches. */
import { isIPv6 } from 'node:net';
import {
  type Endpoint,
  formatEndpoint,
  type Timer,
  type UdpBinding,
  type UdpHandlers,
  type UdpSocket,
} from '../../net/net.ts';
import { localAddresses, mtuOf } from '../../net/node-host.ts';
import { createSecureRandom } from '../../net/secure-random.ts';
import type { BackendTids, OnStranger, TidNet, VipTidOptions, VipTids } from '../../net/tids.ts';
import { createLedgerMemory, DescriptorLedger } from '../descriptor-ledger.ts';
import { ErrorQueue } from '../error-queue.ts';
import type { Libc } from '../libc.ts';
import { duplicate } from '../sockets.ts';
import { AddressBook } from './address-book.ts';
import { SharedBackendTids } from './backend-tids.ts';
import { DatagramSocket, type SocketUser } from './datagram-socket.ts';
import { EventLoop, type LoopOptions } from './event-loop.ts';
import { datagramError, openSocket, orNetError } from './open-socket.ts';
import type { Owner } from './outbox.ts';
import type { LoopParts } from './parts.ts';
import { PortRange, type PortShare } from './port-range.ts';
import { Sender } from './sender.ts';
import { SharedVipTids } from './vip-tids.ts';
import { WildcardSocket } from './wildcard-socket.ts';

/** A bound socket that belongs to whoever made the net, which works on a duplicate of it. */
export interface LentSocket extends Endpoint {
  readonly fd: number;
}

export interface LinuxNetOptions extends LoopOptions {
  /** As `lend` has them. One on 0.0.0.0 or :: has its packet info on. */
  readonly lent?: readonly LentSocket[];
  /** This thread's part of a `--tid-ports` range; all of it if left out. */
  readonly share?: PortShare;
  /** Uniform in [0, 1); from the system's entropy if left out. */
  readonly random?: () => number;
  /** Where open descriptors are noted, for whoever outlives this thread; nowhere else to be seen if left out. */
  readonly ledger?: SharedArrayBuffer;
}

export class LinuxNet implements TidNet {
  readonly loop: EventLoop;
  readonly random: () => number;
  readonly #parts: LoopParts;
  #lent: readonly LentSocket[];
  readonly #share: PortShare;
  /** By address and port, while anybody uses them. */
  readonly #wildcards = new Map<string, WildcardSocket>();

  /** Throws SyscallError. */
  constructor(
    libc: Libc,
    {
      lent = [],
      share = { first: 0, of: 1 },
      random,
      ledger = createLedgerMemory(),
      ...options
    }: LinuxNetOptions,
  ) {
    const notes = new DescriptorLedger(ledger);
    this.loop = new EventLoop(libc, options, notes);
    this.random = random ?? createSecureRandom();
    this.#lent = lent;
    this.#share = share;
    const book = new AddressBook(libc, this.loop);
    const sender = new Sender(libc, this.loop, book);
    this.#parts = { libc, loop: this.loop, book, sender, errors: new ErrorQueue(libc), ledger: notes };
  }

  /** From now on `bindUdp` finds its sockets among these. What it has found before stays until it is closed. */
  lend(sockets: readonly LentSocket[]): void {
    this.#lent = sockets;
  }

  now(): number {
    return this.loop.now();
  }

  setTimer(delay: number, callback: () => void): Timer {
    return this.loop.setTimer(delay, callback);
  }

  localAddresses(): ReturnType<TidNet['localAddresses']> {
    return localAddresses();
  }

  mtuOf(address: string): number | undefined {
    return mtuOf(address);
  }

  bindUdp(at: UdpBinding, handlers: UdpHandlers): UdpSocket {
    const lent = this.#lent.find(({ address, port }) => address === at.address && port === at.port);
    if (lent) return new OwnSocket(this.#parts, this.#duplicate(lent), handlers);
    const any = isIPv6(at.address) ? '::' : '0.0.0.0';
    const wildcard = this.#lent.find(({ address, port }) => address === any && port === at.port);
    if (wildcard) return this.#wildcard(wildcard).at(at.address, handlers);
    return new OwnSocket(this.#parts, openSocket(this.#parts.libc, at), handlers);
  }

  vipTids(options: VipTidOptions, onStranger: OnStranger): VipTids {
    const range = options.ports && new PortRange(options.ports, this.#share, this.random);
    return new SharedVipTids(this.#parts, options, range, onStranger);
  }

  backendTids(onStranger: OnStranger): BackendTids {
    return new SharedBackendTids(this.#parts, onStranger);
  }

  /** Nothing that was opened here may be open any longer. */
  close(): void {
    for (const socket of this.#wildcards.values()) socket.close();
    this.loop.close();
  }

  #wildcard(lent: LentSocket): WildcardSocket {
    const key = formatEndpoint(lent.address, lent.port);
    const known = this.#wildcards.get(key);
    if (known) return known;
    const opened = new WildcardSocket(this.#parts, this.#duplicate(lent), () => this.#wildcards.delete(key));
    this.#wildcards.set(key, opened);
    return opened;
  }

  /** Throws NetError. */
  #duplicate({ fd }: LentSocket): number {
    return orNetError('cannot take over a listening socket', () => duplicate(this.#parts.libc, fd));
  }
}

/** A socket that is its holder's alone. */
class OwnSocket implements UdpSocket, SocketUser, Owner {
  readonly #socket: DatagramSocket;
  readonly #handlers: UdpHandlers;
  #isOpen = true;

  constructor(parts: LoopParts, fd: number, handlers: UdpHandlers) {
    this.#handlers = handlers;
    this.#socket = new DatagramSocket(parts, fd, false, this);
  }

  get address(): string {
    return this.#socket.address;
  }

  get port(): number {
    return this.#socket.port;
  }

  send(data: Uint8Array, port: number, address: string): void {
    this.#socket.send(data, port, address, this);
  }

  onDatagram(data: Uint8Array, port: number, address: string): void {
    this.#handlers.onDatagram(data, port, address);
  }

  onRefused(): void {}

  onUnsent(errno: number): void {
    this.#fail(errno, 'cannot send from');
  }

  onUnreceived(errno: number): void {
    this.#fail(errno, 'cannot receive at');
  }

  close(): void {
    this.#isOpen = false;
    this.#socket.close();
  }

  #fail(errno: number, attempt: string): void {
    if (!this.#isOpen) return;
    const { address, port } = this.#socket;
    this.#handlers.onError(datagramError(errno, `${attempt} ${address} port ${port}`));
  }
}
