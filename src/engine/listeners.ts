/**
 * The listening sockets of one service. A UDP socket on 0.0.0.0 cannot tell which address a client wrote to, nor
 * answer from it, and boot loaders drop what comes from another one. So an unspecified address is expanded to one
 * socket per local address, and looked through again now and then for VIPs that come and go.
 */
import {
  type Endpoint,
  formatEndpoint,
  type LocalAddress,
  NetError,
  type Timer,
  type UdpHandlers,
  type UdpSocket,
} from '../net/net.ts';
import type { OnStranger, TidNet, VipLendOptions, VipTid, VipTids } from '../net/tids.ts';
import type { EngineEvent } from '../observe/events.ts';
import { ClientSessions } from './client-sessions.ts';
import type { ListenerSpec, TidMode } from './snapshot.ts';

/** Milliseconds between two looks at the local addresses. */
const rescanInterval = 5_000;
/**
 * Bytes of receive buffer, as far as the kernel lets: a room full of machines asks in one moment, and in single-port
 * mode the windows of all uploads arrive here.
 */
const listenerBuffer = 4_194_304;

export interface ListenerHandlers {
  onDatagram(listener: Listener, data: Uint8Array, port: number, address: string): void;
  /** The listener's socket is about to be closed: its sessions lose it. */
  onGone(listener: Listener): void;
  /** The socket has failed for good. */
  onFailed(listener: Listener, error: NetError): void;
  onSendFailed(): void;
  /** Somebody else than its client has written to a VIP TID. */
  readonly onStranger: OnStranger;
}

/** One listening socket, and the VIP TIDs of the sessions that came in through it. */
export class Listener {
  readonly address: string;
  readonly #net: TidNet;
  readonly #handlers: ListenerHandlers;
  readonly #socket: UdpSocket;
  /** Undefined in single-port mode. */
  #vipTids: VipTids | undefined;
  /** Taken out of service, and open for the sessions alone that have no other socket. */
  isParting = false;
  /** By the client's address and port: the sessions to which a datagram that arrives here may belong. */
  readonly sessions: ClientSessions = new ClientSessions();

  /** Throws NetError. */
  constructor(net: TidNet, spec: ListenerSpec, tids: TidMode, handlers: ListenerHandlers) {
    const { address, port, isShared: reusePort = false } = spec;
    this.address = address;
    this.#net = net;
    this.#handlers = handlers;
    this.#socket = net.bindUdp(
      { address, port, reusePort, receiveBuffer: listenerBuffer },
      {
        onDatagram: (data, clientPort, clientAddress) =>
          handlers.onDatagram(this, data, clientPort, clientAddress),
        onError: (error) => (error.closed ? handlers.onFailed(this, error) : handlers.onSendFailed()),
      },
    );
    this.retune(tids);
  }

  /** TIDs that are lent from now on come from other ports; those that are out stay. The mode stays what it was. */
  retune(tids: TidMode): void {
    if (tids.kind === 'single-port') return;
    this.#vipTids?.close();
    this.#vipTids = this.#net.vipTids(
      { address: this.address, ports: tids.ports },
      this.#handlers.onStranger,
    );
  }

  get port(): number {
    return this.#socket.port;
  }

  get isSinglePort(): boolean {
    return this.#vipTids === undefined;
  }

  /** Whether sessions need its socket to go on. */
  get isHeld(): boolean {
    return this.isSinglePort && !this.sessions.isEmpty;
  }

  send(data: Uint8Array, port: number, address: string): void {
    this.#socket.send(data, port, address);
  }

  /** The VIP TID of one session; the listener's own in single-port mode. Throws NetError. */
  openVipTid(client: Endpoint, handlers: UdpHandlers, options: VipLendOptions): VipTid {
    return this.#vipTids?.lend(client, handlers, options) ?? this.#socket;
  }

  closeVipTid(socket: VipTid): void {
    if (socket !== this.#socket) socket.close();
  }

  close(): void {
    this.#vipTids?.close();
    this.#socket.close();
  }
}

/** `isExpanded`: it came of an unspecified address. */
export interface ExpandedListener extends ListenerSpec {
  readonly isExpanded: boolean;
}

/** With one listener for each address of this host in place of those that stand for all of them. */
export function expandListeners(
  specs: readonly ListenerSpec[],
  local: readonly LocalAddress[],
): ExpandedListener[] {
  return specs.flatMap((spec): ExpandedListener[] => {
    const family = spec.address === '0.0.0.0' ? 4 : spec.address === '::' ? 6 : undefined;
    if (family === undefined) return [{ ...spec, isExpanded: false }];
    const { port, isShared = false } = spec;
    const own = local.filter((candidate) => candidate.family === family);
    return own.map(({ address }) => ({ address, port, isShared, isExpanded: true }));
  });
}

export interface ListenerSetParts {
  readonly net: TidNet;
  readonly service: string;
  readonly handlers: ListenerHandlers;
  readonly emit: (event: EngineEvent) => void;
}

export class ListenerSet {
  readonly #parts: ListenerSetParts;
  #specs: readonly ListenerSpec[] = [];
  #tids: TidMode;
  /** By `address:port` as wanted: with port 0 the kernel chooses another one. */
  readonly #open = new Map<string, Listener>();
  /** Those that are parting, by the same keys. */
  readonly #parting = new Map<string, Listener>();
  /** Addresses that could not be bound at the last look, so that each is told once. */
  readonly #failing = new Set<string>();
  #timer: Timer | undefined;

  constructor(parts: ListenerSetParts, tids: TidMode) {
    this.#parts = parts;
    this.#tids = tids;
  }

  get listeners(): Listener[] {
    return [...this.#open.values()];
  }

  /** Binds them. Throws NetError, having closed all, if one cannot be had. */
  open(specs: readonly ListenerSpec[]): void {
    this.#specs = specs;
    try {
      this.#reconcile((error) => {
        throw error;
      });
    } catch (error) {
      this.close();
      throw error;
    }
    this.#scheduleRescan();
    if (this.#open.size > 0 || specs.length === 0) return;
    this.close();
    const addresses = specs.map((spec) => spec.address).join(', ');
    throw new NetError('TLB_ERR_ADDRESS_NOT_LOCAL', `this host has no address that ${addresses} stands for`);
  }

  /** Takes out of service what is not among `specs`, and closes it once no session needs it. */
  release(specs: readonly ListenerSpec[]): void {
    this.#specs = specs;
    const wanted = this.#wanted();
    for (const [key, listener] of this.#open) {
      if (!wanted.has(key)) this.#part(key, listener);
    }
  }

  /** All are out of service, for good. */
  retire(): void {
    this.#timer?.cancel();
    this.release([]);
  }

  /** Closes those parting listeners whose place others want; sessions that needed them end. */
  yieldTo(others: readonly ListenerSpec[]): void {
    const wanted = expandListeners(others, this.#parts.net.localAddresses());
    for (const [key, listener] of this.#parting) {
      const { address, port } = listener;
      if (wanted.some((spec) => spec.address === address && spec.port === port)) this.#remove(key, listener);
    }
  }

  /** A session of the listener is gone: with the last one, a parting listener is. */
  left(listener: Listener): void {
    if (!listener.isParting || listener.isHeld) return;
    for (const [key, parting] of this.#parting) {
      if (parting === listener) this.#remove(key, listener);
    }
  }

  /** Binds what is new and releases what is gone. What cannot be had is told, and tried again at the next look. */
  update(specs: readonly ListenerSpec[], tids: TidMode): void {
    if (!isSameMode(tids, this.#tids)) {
      for (const listener of this.#open.values()) listener.retune(tids);
    }
    this.#tids = tids;
    this.release(specs);
    this.#reconcile((error, key) => this.#noteFailure(error, key));
    this.#scheduleRescan();
  }

  close(): void {
    this.#timer?.cancel();
    for (const [key, listener] of [...this.#open, ...this.#parting]) this.#remove(key, listener);
  }

  /** The socket of a listener has failed: it is bound again at the next look. */
  lose(listener: Listener, error: NetError): void {
    for (const [key, open] of [...this.#open, ...this.#parting]) {
      if (open === listener) this.#remove(key, listener, error.message);
    }
    if (!listener.isParting) this.#scheduleRescan();
  }

  #scheduleRescan(): void {
    this.#timer?.cancel();
    this.#timer = this.#parts.net.setTimer(rescanInterval, () => {
      this.#reconcile((error, key) => this.#noteFailure(error, key));
      this.#scheduleRescan();
    });
  }

  #reconcile(onFailure: (error: NetError, key: string) => void): void {
    const wanted = this.#wanted();
    this.#closeOthers(wanted);
    for (const [key, target] of wanted) {
      if (this.#open.has(key) || this.#takeBack(key)) continue;
      try {
        this.#add(key, target);
      } catch (error) {
        if (!(error instanceof NetError)) throw error;
        // An address that has just come or is about to go is no reason to fail: the next look decides.
        if (target.isExpanded && error.code === 'TLB_ERR_ADDRESS_NOT_LOCAL') continue;
        onFailure(error, key);
      }
    }
  }

  #closeOthers(wanted: ReadonlyMap<string, unknown>): void {
    for (const [key, listener] of this.#open) {
      if (!wanted.has(key)) this.#remove(key, listener);
    }
    for (const key of this.#failing) {
      if (!wanted.has(key)) this.#failing.delete(key);
    }
  }

  #wanted(): Map<string, ExpandedListener> {
    const expanded = expandListeners(this.#specs, this.#parts.net.localAddresses());
    return new Map(expanded.map((spec) => [formatEndpoint(spec.address, spec.port), spec]));
  }

  #add(key: string, spec: ListenerSpec): void {
    const { net, handlers, emit, service } = this.#parts;
    const listener = new Listener(net, spec, this.#tids, handlers);
    this.#open.set(key, listener);
    this.#failing.delete(key);
    emit({ kind: 'listener.up', service, listener: formatEndpoint(listener.address, listener.port) });
  }

  #part(key: string, listener: Listener): void {
    if (!listener.isHeld) {
      this.#remove(key, listener);
      return;
    }
    listener.isParting = true;
    this.#open.delete(key);
    this.#parting.set(key, listener);
  }

  /** Whether a listener that was about to go is in service again. */
  #takeBack(key: string): boolean {
    const listener = this.#parting.get(key);
    if (!listener) return false;
    listener.isParting = false;
    this.#parting.delete(key);
    this.#open.set(key, listener);
    return true;
  }

  #remove(key: string, listener: Listener, error?: string): void {
    this.#open.delete(key);
    this.#parting.delete(key);
    this.#parts.handlers.onGone(listener);
    listener.close();
    this.#parts.emit({
      kind: 'listener.down',
      service: this.#parts.service,
      listener: formatEndpoint(listener.address, listener.port),
      ...(error !== undefined && { error }),
    });
  }

  #noteFailure(error: NetError, key: string): void {
    if (this.#failing.has(key)) return;
    this.#failing.add(key);
    const { service, emit } = this.#parts;
    emit({ kind: 'listener.down', service, listener: key, error: error.message });
  }
}

function isSameMode(one: TidMode, other: TidMode): boolean {
  if (one.kind === 'single-port' || other.kind === 'single-port') return one.kind === other.kind;
  return one.ports?.first === other.ports?.first && one.ports?.last === other.ports?.last;
}
