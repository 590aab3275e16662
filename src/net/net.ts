/**
 * The seam to the operating system: everything that a data plane may ask of it.
 * Implementations: node-net.ts and memory-net.ts (virtual time, loss, duplication, reordering, delay).
 */
import type { TcpNet } from './tcp.ts';

/** One end of a conversation. `address` is numeric (IPv6 with `%zone` where it is link-local). */
export interface Endpoint {
  readonly address: string;
  readonly port: number;
}

/** `address:port`, IPv6 in brackets. */
export function formatEndpoint(address: string, port: number): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}

export interface UdpHandlers {
  /** `data` belongs to the net and may be overwritten after the call returns. */
  onDatagram(data: Uint8Array, port: number, address: string): void;
  /** A socket error other than a refusal. The socket stays open unless it says `closed`. */
  onError(error: NetError): void;
}

export interface TidHandlers extends UdpHandlers {
  /** The peer's host answered a datagram to the peer's request port with ICMP port (or host) unreachable. */
  onRefused(): void;
}

export interface UdpSocket extends Endpoint {
  /** Sends now or drops; failures reach `onError`. Never throws. `data` may be reused after the call. */
  send(data: Uint8Array, port: number, address: string): void;
  /** Idempotent. No handler is called after it. */
  close(): void;
}

/**
 * A local TID that speaks first to a peer's request port and then to whatever port the peer answers from
 * (RFC 1350 section 4), and that hears refusals of the first kind.
 */
export interface TidSocket extends UdpSocket {
  /** The peer's TID is known: what served only to hear refusals from its request port is released. */
  pinned(peerPort: number): void;
}

export interface UdpBinding {
  readonly address: string;
  /** 0 lets the kernel choose. */
  readonly port: number;
  /** Receive buffer in bytes; the system's default if left out. */
  readonly receiveBuffer?: number;
  /** Lets others of this program bind the same if they wish so too; each source is heard by one of them. */
  readonly reusePort?: boolean;
}

export interface LocalAddress {
  readonly address: string;
  readonly family: 4 | 6;
  /** Name of the interface that has it. */
  readonly device: string;
}

export interface Timer {
  /** Idempotent. */
  cancel(): void;
}

export interface Clock {
  /** Monotonic milliseconds. */
  now(): number;
  /** Calls back once, not before `delay` milliseconds have passed. */
  setTimer(delay: number, callback: () => void): Timer;
}

export interface Net extends Clock, TcpNet {
  /** Binds at once, and exclusively unless the binding says otherwise. Throws NetError. */
  bindUdp(at: UdpBinding, handlers: UdpHandlers): UdpSocket;
  /**
   * Opens a TID towards `peer` on the unspecified address of its family. `receiveBuffer` in bytes, the system's
   * default if left out. Throws NetError.
   */
  openTid(peer: Endpoint, handlers: TidHandlers, receiveBuffer?: number): TidSocket;
  /** The addresses that this host has now. */
  localAddresses(): LocalAddress[];
  /** Largest datagram in bytes, headers included, that the interface with `address` carries; undefined if unknown. */
  mtuOf(address: string): number | undefined;
  /** All addresses of a name, in the resolver's order. Numeric addresses resolve to themselves. Rejects with NetError. */
  lookup(host: string): Promise<string[]>;
  /** Uniform in [0, 1). */
  random(): number;
}

export type NetErrorCode =
  | 'TLB_ERR_ADDRESS_IN_USE'
  | 'TLB_ERR_ADDRESS_NOT_LOCAL'
  | 'TLB_ERR_PERMISSION'
  | 'TLB_ERR_NO_DESCRIPTORS'
  | 'TLB_ERR_NO_PORTS'
  | 'TLB_ERR_MESSAGE_TOO_LONG'
  | 'TLB_ERR_UNREACHABLE'
  | 'TLB_ERR_REFUSED'
  | 'TLB_ERR_TIMEOUT'
  | 'TLB_ERR_UNKNOWN_HOST'
  | 'TLB_ERR_SOCKET'
  | 'TLB_ERR_CERTIFICATE'
  | 'TLB_ERR_TLS'
  | 'TLB_ERR_TLS_TRUNCATED'
  | 'TLB_ERR_TLS_NOT_RESUMED'
  | 'TLB_ERR_PROXY_HEADER';

/** What the operating system refused. `closed` tells whether the socket is gone. */
export class NetError extends Error {
  override readonly name = 'NetError';
  readonly code: NetErrorCode;
  readonly closed: boolean;

  constructor(code: NetErrorCode, message: string, options: { closed?: boolean; cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.code = code;
    this.closed = options.closed ?? false;
  }
}
