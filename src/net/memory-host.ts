import { familyOfText, isLoopback, isPort, isWildcard } from './memory-address.ts';
import { type Bound, SocketTable } from './memory-socket-table.ts';
import { MemoryTidSocket, MemoryUdpSocket, type SocketHome } from './memory-socket.ts';
import { MemoryTcp, type TcpHost } from './memory-tcp.ts';
import type { VirtualClock } from './memory-clock.ts';
import {
  NetError,
  type Endpoint,
  type LocalAddress,
  type Net,
  type TidHandlers,
  type TidSocket,
  type Timer,
  type UdpBinding,
  type UdpHandlers,
  type UdpSocket,
} from './net.ts';
import type { ConnectOptions, ListenHandlers, TcpBinding, TcpListener, TcpSocket } from './tcp.ts';

/** `silent`: what it sends and what is sent to it vanishes. `gone`: the same, and senders hear that it is unreachable. */
export type HostState = 'up' | 'silent' | 'gone';

/** One datagram on its way. Whoever looks at `data` may not keep it. */
export interface Packet {
  readonly from: Endpoint;
  readonly to: Endpoint;
  readonly data: Uint8Array;
}

/** What joins the hosts. */
export interface Wire {
  /** `host` is about to have `addresses` and no others. Throws RangeError if another host has one of them. */
  move(host: MemoryHost, addresses: readonly string[]): void;
  /** Takes a datagram along; `onRefused` is called if the destination turns it away and that news arrives. */
  carry(from: MemoryHost, packet: Packet, onRefused: (() => void) | undefined): void;
  /** The addresses of a name. */
  find(name: string): readonly string[];
  /** Who has `address`, seen from a host that may have it itself. */
  hostAt(address: string, seenFrom: MemoryHost): MemoryHost | undefined;
  /** Milliseconds that a segment of TCP takes from host to host. */
  delay(from: MemoryHost, to: MemoryHost | undefined): number;
  /** The state or the addresses of a host have changed. */
  changed(): void;
}

/** One computer in a MemoryNet, and its Net. */
export class MemoryHost implements Net, SocketHome, TcpHost {
  /** Sockets beyond it fail to open; a TID counts twice until it is pinned. */
  descriptorLimit: number = Infinity;
  readonly random: () => number;
  readonly tcp: MemoryTcp;
  readonly #clock: VirtualClock;
  readonly #wire: Wire;
  readonly #sockets: SocketTable<MemoryUdpSocket>;
  #state: HostState = 'up';
  #addresses: readonly string[] = [];

  constructor(clock: VirtualClock, wire: Wire, random: () => number) {
    this.#clock = clock;
    this.#wire = wire;
    this.random = random;
    this.#sockets = new SocketTable(random);
    this.tcp = new MemoryTcp(clock, this, random);
  }

  get state(): HostState {
    return this.#state;
  }

  set state(state: HostState) {
    this.#state = state;
    this.#wire.changed();
  }

  get addresses(): readonly string[] {
    return this.#addresses;
  }

  /** Addresses come and go under open sockets, as they do when a VIP moves. */
  setAddresses(addresses: readonly string[]): void {
    this.#wire.move(this, addresses);
    this.#addresses = addresses;
    this.#wire.changed();
  }

  /** UDP sockets, TCP listeners and ends of TCP connections. */
  get openSockets(): number {
    return this.#sockets.all().length + this.tcp.openListeners + this.tcp.openConnections;
  }

  /** The programs on this host die: their sockets go without a word to them, and peers see connections reset. */
  kill(): void {
    for (const socket of this.#sockets.all()) socket.close();
    this.tcp.kill();
  }

  bindUdp(at: UdpBinding, handlers: UdpHandlers): UdpSocket {
    return this.#open(at, handlers, 1);
  }

  openTid(peer: Endpoint, handlers: TidHandlers): TidSocket {
    const family = familyOfText(peer.address);
    if (family === 0 || !isPort(peer.port) || peer.port === 0) {
      throw new NetError('TLB_ERR_SOCKET', `"${peer.address}" port ${peer.port} is no destination`);
    }
    const socket = this.#open({ address: family === 6 ? '::' : '0.0.0.0', port: 0 }, handlers, 2);
    return new MemoryTidSocket(socket, peer, handlers);
  }

  listenTcp(at: TcpBinding, handlers: ListenHandlers): Promise<TcpListener> {
    return this.tcp.listenTcp(at, handlers);
  }

  connectTcp(to: Endpoint, options: ConnectOptions): Promise<TcpSocket> {
    return this.tcp.connectTcp(to, options);
  }

  localAddresses(): LocalAddress[] {
    return this.#addresses.map((address) => ({
      address,
      family: familyOfText(address) === 6 ? 6 : 4,
      device: isLoopback(address) ? 'lo' : 'eth0',
    }));
  }

  mtuOf(address: string): number | undefined {
    if (!this.#addresses.includes(address)) return undefined;
    return isLoopback(address) ? 65_536 : 1500;
  }

  async lookup(host: string): Promise<string[]> {
    if (familyOfText(host) !== 0) return [host];
    const addresses = this.#wire.find(host);
    if (addresses.length > 0) return [...addresses];
    throw new NetError('TLB_ERR_UNKNOWN_HOST', `cannot find the host "${host}": no such host`);
  }

  now(): number {
    return this.#clock.now();
  }

  setTimer(delay: number, callback: () => void): Timer {
    return this.#clock.setTimer(delay, callback);
  }

  soon(callback: () => void): void {
    this.#clock.plan(this.now(), callback);
  }

  transmit(
    from: Endpoint,
    to: Endpoint,
    data: Uint8Array,
    onRefused: (() => void) | undefined,
  ): NetError | undefined {
    const address = isWildcard(from.address) ? this.sourceTowards(to.address) : from.address;
    if (address === undefined) {
      return new NetError('TLB_ERR_UNREACHABLE', `cannot send: no route leads to ${to.address}`);
    }
    this.#wire.carry(this, { from: { address, port: from.port }, to, data }, onRefused);
    return undefined;
  }

  /** False if nobody listens there. */
  receive({ from, to, data }: Packet): boolean {
    const socket = this.#sockets.listenerAt(to, from);
    if (socket === undefined) return false;
    socket.receive(data, from);
    // What a handler keeps of it without a copy shall not look right by chance.
    data.fill(0xee);
    return true;
  }

  forget(socket: MemoryUdpSocket): void {
    this.#sockets.remove(socket);
  }

  has(address: string): boolean {
    return this.#addresses.includes(address);
  }

  find(address: string): MemoryHost | undefined {
    return this.#wire.hostAt(address, this);
  }

  delayTo(address: string): number {
    return this.#wire.delay(this, this.find(address));
  }

  check(at: Bound, table: SocketTable<Bound>, attempt: string, descriptors = 1): void {
    const { address, port } = at;
    if (familyOfText(address) === 0 || !isPort(port)) {
      throw new NetError('TLB_ERR_SOCKET', `${attempt}: no such address or port`);
    }
    if (!isWildcard(address) && !this.has(address)) {
      throw new NetError('TLB_ERR_ADDRESS_NOT_LOCAL', `${attempt}: this host does not have the address`);
    }
    if (this.isFull(descriptors)) {
      throw new NetError('TLB_ERR_NO_DESCRIPTORS', `${attempt}: this host has no file descriptors left`);
    }
    if (port !== 0 && table.isTaken(at)) {
      throw new NetError('TLB_ERR_ADDRESS_IN_USE', `${attempt}: another socket holds this address and port`);
    }
  }

  isFull(descriptors = 1): boolean {
    return this.descriptorLimit !== Infinity && this.#descriptors() + descriptors > this.descriptorLimit;
  }

  sourceTowards(destination: string): string | undefined {
    if (this.has(destination)) return destination;
    const own = this.#addresses.filter((address) => familyOfText(address) === familyOfText(destination));
    return own.find((address) => !isLoopback(address)) ?? own[0];
  }

  #open(at: UdpBinding, handlers: UdpHandlers, descriptors: number): MemoryUdpSocket {
    this.check(at, this.#sockets, `cannot bind ${at.address} port ${at.port}`, descriptors);
    const port = at.port === 0 ? this.#sockets.freePort(at.address) : at.port;
    const socket = new MemoryUdpSocket(this, { ...at, port }, handlers);
    socket.descriptors = descriptors;
    this.#sockets.add(socket);
    return socket;
  }

  #descriptors(): number {
    const tcp = this.tcp.openListeners + this.tcp.openConnections;
    return this.#sockets.all().reduce((sum, socket) => sum + socket.descriptors, tcp);
  }
}
