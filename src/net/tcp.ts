/**
 * The seam to the operating system for TCP. A connection is two directions that end apart: a FIN ends one of them
 * cleanly, a reset breaks both, and the two are never mixed up.
 */
import type { Endpoint, NetError } from './net.ts';

/** How a connection came to its end. Only `clean` means that each byte of both directions arrived. */
export type TcpEnd =
  /** Both directions were ended by a FIN. */
  | 'clean'
  /** The peer reset it, or the system gave it up. */
  | 'reset'
  /** This side reset it. */
  | 'aborted';

export interface TcpHandlers {
  /** `data` is the receiver's to keep. */
  onData(data: Uint8Array): void;
  /** The peer has sent its FIN and everything before it was handed over. Never called for a reset. */
  onEnd(): void;
  /** What was written has gone to the system, after a `write` that returned false. */
  onDrain(): void;
  /** Both directions are over; called once, last of all. `error` where the system gave a reason. */
  onClose(end: TcpEnd, error?: NetError): void;
}

export interface TcpSocket {
  readonly local: Endpoint;
  readonly remote: Endpoint;
  /** Bytes that were written and have not gone to the system. */
  readonly pending: number;
  /** Replaces who is told. Nothing is read before the first call. */
  handle(handlers: TcpHandlers): void;
  /** Keeps `data` until it is sent. False means: write no more until `onDrain`. Does nothing after `end` or a close. */
  write(data: Uint8Array): boolean;
  /** Sends what is pending and then a FIN; the other direction stays open. Idempotent. */
  end(): void;
  /** Breaks the connection: the peer sees a reset, and what is pending is thrown away. Idempotent. */
  reset(): void;
  pause(): void;
  resume(): void;
}

export interface TcpListener extends Endpoint {
  /** Stops listening; connections stay. Idempotent. */
  close(): void;
}

export interface ListenHandlers {
  /** The connection reads nothing until it is given handlers; whoever does not want it resets it. */
  onConnection(socket: TcpSocket): void;
  /** The listener has failed for good and is closed, or one connection could not be accepted. */
  onError(error: NetError): void;
}

export interface TcpBinding {
  readonly address: string;
  /** 0 lets the kernel choose. */
  readonly port: number;
  /** Connections that may wait to be accepted. */
  readonly backlog?: number;
}

export interface ConnectOptions {
  /** Where to connect from; the system chooses where it is left out. `port` 0 lets the system choose the port. */
  readonly from?: Endpoint;
  /** Milliseconds until the attempt is given up. */
  readonly timeout: number;
  readonly signal?: AbortSignal;
}

export interface TcpNet {
  /** Rejects with NetError. */
  listenTcp(at: TcpBinding, handlers: ListenHandlers): Promise<TcpListener>;
  /** Rejects with NetError (TLB_ERR_REFUSED, TLB_ERR_TIMEOUT, TLB_ERR_UNREACHABLE, ...) or with the signal's reason. */
  connectTcp(to: Endpoint, options: ConnectOptions): Promise<TcpSocket>;
}
