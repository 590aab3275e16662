import { familyOfText, isPort, isWildcard } from './memory-address.ts';
import type { VirtualClock } from './memory-clock.ts';
import { type Bound, SocketTable } from './memory-socket-table.ts';
import { MemoryTcpPath, type Segment } from './memory-tcp-path.ts';
import { MemoryTcpSocket, type EndHome } from './memory-tcp-socket.ts';
import { NetError, type Endpoint, type NetErrorCode } from './net.ts';
import {
  turnAway,
  type ConnectOptions,
  type ListenHandlers,
  type TcpBinding,
  type TcpListener,
  type TcpNet,
  type TcpSocket,
} from './tcp.ts';

/** What TCP needs of its host, and of other hosts as they are seen from there. */
export interface TcpHost {
  readonly state: 'up' | 'silent' | 'gone';
  readonly tcp: MemoryTcp;
  has(address: string): boolean;
  find(address: string): TcpHost | undefined;
  /** Milliseconds on the way to `address`. */
  delayTo(address: string): number;
  /** The own address that a connection to `destination` comes from; undefined if there is none of its family. */
  sourceTowards(destination: string): string | undefined;
  /** Throws NetError if `at` cannot be bound beside what `table` holds, or no descriptor is left. */
  check(at: Bound, table: SocketTable<Bound>, attempt: string): void;
  isFull(): boolean;
}

interface Listener extends TcpListener {
  readonly handlers: ListenHandlers;
  readonly reusePort: boolean;
}

/** The TCP of one host. */
export class MemoryTcp implements TcpNet, EndHome {
  readonly #clock: VirtualClock;
  readonly #host: TcpHost;
  readonly #listeners: SocketTable<Listener>;
  /** The local ends of connections that were made from here. */
  readonly #callers: SocketTable<Endpoint>;
  readonly #sockets = new Set<MemoryTcpSocket>();
  /** Who hears what arrives, by both ends. */
  readonly #hearers = new Map<string, MemoryTcpSocket>();
  readonly #paths = new Set<MemoryTcpPath>();

  constructor(clock: VirtualClock, host: TcpHost, random: () => number) {
    this.#clock = clock;
    this.#host = host;
    this.#listeners = new SocketTable(random);
    this.#callers = new SocketTable(random);
  }

  get openListeners(): number {
    return this.#listeners.all().length;
  }

  /** Ends of connections on this host, attempts included. */
  get openConnections(): number {
    return this.#sockets.size;
  }

  async listenTcp(at: TcpBinding, handlers: ListenHandlers): Promise<TcpListener> {
    const { address, reusePort = false } = at;
    this.#host.check(at, this.#listeners, `cannot listen on ${address} port ${at.port}`);
    const port = at.port === 0 ? this.#listeners.freePort(address) : at.port;
    const close = (): void => this.#listeners.remove(listener);
    const listener: Listener = { address, port, reusePort, handlers, close };
    this.#listeners.add(listener);
    return listener;
  }

  async connectTcp(to: Endpoint, options: ConnectOptions): Promise<TcpSocket> {
    options.signal?.throwIfAborted();
    const attempt = `cannot connect to ${to.address} port ${to.port}`;
    const local = this.#localEnd(to, options.from, attempt);
    const socket = this.#open(local, to);
    this.#callers.add(local);
    try {
      await this.#opened(socket, attempt, options);
      return socket;
    } catch (error) {
      socket.reset();
      throw error;
    }
  }

  /** All listeners and connections go at once, and nobody here is told. */
  kill(): void {
    for (const listener of this.#listeners.all()) listener.close();
    for (const socket of this.#sockets) socket.kill();
  }

  /** The state or the addresses of some host have changed. */
  hostsChanged(): void {
    for (const path of this.#paths) path.lookAgain();
  }

  soon(callback: () => void): void {
    this.#clock.plan(this.#clock.now(), callback);
  }

  disconnect(socket: MemoryTcpSocket): void {
    const key = keyOf(socket.local, socket.remote);
    if (this.#hearers.get(key) === socket) this.#hearers.delete(key);
    this.#callers.remove(socket.local);
  }

  forget(socket: MemoryTcpSocket): void {
    this.disconnect(socket);
    this.#sockets.delete(socket);
  }

  /** A segment has arrived at this host. */
  receive(at: Endpoint, from: Endpoint, segment: Segment): void {
    const socket = this.#hearers.get(keyOf(at, from));
    if (socket !== undefined) socket.receive(segment);
    else if (segment.kind === 'syn') this.#accept(at, from);
    // What belongs to no connection is answered with a reset (RFC 9293 section 3.5.2).
    else if (segment.kind !== 'reset' && segment.kind !== 'taken') this.#refuse(at, from);
  }

  #accept(at: Endpoint, from: Endpoint): void {
    const listener = this.#listeners.listenerAt(at, from);
    if (listener === undefined) {
      this.#refuse(at, from);
      return;
    }
    const isFull = this.#host.isFull();
    const socket = this.#open(at, from);
    socket.accept();
    if (isFull) {
      turnAway(socket, listener.handlers);
      const attempt = `cannot accept on ${listener.address} port ${listener.port}`;
      listener.handlers.onError(
        new NetError('TLB_ERR_NO_DESCRIPTORS', `${attempt}: this host has no file descriptors left`),
      );
    } else {
      listener.handlers.onConnection(socket);
    }
  }

  #refuse(at: Endpoint, from: Endpoint): void {
    const path = this.#pathBetween(at, from, () => undefined);
    path.send({ kind: 'reset' });
    path.close();
  }

  #open(local: Endpoint, remote: Endpoint): MemoryTcpSocket {
    const path = this.#pathBetween(local, remote, () => {
      socket.lose('TLB_ERR_TIMEOUT', 'the other host does not answer');
    });
    const socket = new MemoryTcpSocket(this, local, remote, path);
    this.#sockets.add(socket);
    this.#hearers.set(keyOf(local, remote), socket);
    return socket;
  }

  #pathBetween(local: Endpoint, remote: Endpoint, onLost: () => void): MemoryTcpPath {
    const host = this.#host;
    const path = new MemoryTcpPath(this.#clock, {
      delay: () => host.delayTo(remote.address),
      isCut: () =>
        host.state !== 'up' || !host.has(local.address) || host.find(remote.address)?.state !== 'up',
      deliver: (segment) => host.find(remote.address)?.tcp.receive(remote, local, segment),
      onLost,
      onOver: () => this.#paths.delete(path),
    });
    this.#paths.add(path);
    return path;
  }

  #localEnd(to: Endpoint, from: Endpoint | undefined, attempt: string): Endpoint {
    const family = familyOfText(to.address);
    if (family === 0 || !isPort(to.port) || to.port === 0) {
      throw new NetError('TLB_ERR_SOCKET', `${attempt}: no such address or port`);
    }
    const asked = from ?? { address: family === 6 ? '::' : '0.0.0.0', port: 0 };
    this.#host.check(asked, this.#listeners, `${attempt} from ${asked.address} port ${asked.port}`);
    const address = isWildcard(asked.address) ? this.#host.sourceTowards(to.address) : asked.address;
    if (address === undefined) throw new NetError('TLB_ERR_UNREACHABLE', `${attempt}: no route leads there`);
    if (familyOfText(address) !== family) {
      throw new NetError('TLB_ERR_SOCKET', `${attempt}: one address is IPv4, the other is IPv6`);
    }
    const local = { address, port: asked.port === 0 ? this.#callers.freePort(address) : asked.port };
    if (!this.#hearers.has(keyOf(local, to))) return local;
    const reason = 'there is a connection from this port already';
    throw new NetError('TLB_ERR_ADDRESS_IN_USE', `${attempt}: ${reason}`);
  }

  async #opened(socket: MemoryTcpSocket, attempt: string, options: ConnectOptions): Promise<void> {
    const { timeout, signal } = options;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const fail = (code: NetErrorCode, reason: string): void =>
      reject(new NetError(code, `${attempt}: ${reason}`));
    const onAbort = (): void => reject(signal?.reason);
    const timer = this.#clock.setTimer(timeout, () =>
      fail('TLB_ERR_TIMEOUT', `no answer within ${timeout} ms`),
    );
    signal?.addEventListener('abort', onAbort);
    this.#listenForIcmp(socket.remote.address, () =>
      fail('TLB_ERR_UNREACHABLE', 'the host cannot be reached'),
    );
    socket.open({ accepted: resolve, refused: () => fail('TLB_ERR_REFUSED', 'nothing listens there') });
    try {
      await promise;
    } finally {
      timer.cancel();
      signal?.removeEventListener('abort', onAbort);
    }
  }

  /** Calls back if what is sent to `address` now finds no host there, once that news is back. */
  #listenForIcmp(address: string, onUnreachable: () => void): void {
    const host = this.#host;
    const after = (action: () => void): unknown =>
      this.#clock.plan(this.#clock.now() + host.delayTo(address), action);
    after(() => {
      const isThere = (host.find(address)?.state ?? 'gone') !== 'gone';
      if (!isThere && host.state === 'up') after(onUnreachable);
    });
  }
}

function keyOf(local: Endpoint, remote: Endpoint): string {
  return `${local.address} ${local.port} ${remote.address} ${remote.port}`;
}
