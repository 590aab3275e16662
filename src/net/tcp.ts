/**
 * The seam to the operating system for TCP. A connection is two directions that end apart: a FIN ends one of them
 * cleanly, a reset breaks both, and the two are never mixed up. A layer on top, such as TLS, is a TcpSocket again.
 */
import type { Endpoint, NetError } from './net.ts';

/**
 * How a connection came to its end.
 *
 *   clean    both directions were ended by a FIN: all that the peer sent was handed over, and the system took all
 *            that was written
 *   reset    the peer reset it, or the system gave it up
 *   aborted  this side reset it
 */
export type TcpEnd = 'clean' | 'reset' | 'aborted';

/** None of these is called from within a call to the socket. */
export interface TcpHandlers {
  /**
   * True for handlers to whom data need only be lent, which is cheaper: it is overwritten once `onData` has returned
   * or, if the socket is paused by then, once it is resumed.
   */
  readonly borrows?: boolean;
  /** `data` is the receiver's to keep, unless it borrows. */
  onData(data: Uint8Array): void;
  /** The peer has sent its FIN and everything before it was handed over. Never called for a reset. */
  onEnd(): void;
  /** What was written has gone to the system, after a `write` that returned false; after `end` the FIN has gone, too. */
  onDrain(): void;
  /**
   * Both directions are over; called once, last of all. `error` where the system gave a reason. A reset is noticed
   * by reading or writing: a socket that is paused and writes nothing does not hear of it.
   */
  onClose(end: TcpEnd, error?: NetError): void;
}

export interface TcpSocket {
  readonly local: Endpoint;
  readonly remote: Endpoint;
  /** Bytes that were written and have not gone to the system. */
  readonly pending: number;
  /** Replaces who is told. Nothing is read before the first call. */
  handle(handlers: TcpHandlers): void;
  /**
   * Keeps `data` until it is sent. False means: the system takes no more now, so write no more until `onDrain`. Does
   * nothing, and returns true, after `end` or a close.
   */
  write(data: Uint8Array): boolean;
  /** Sends what is pending and then a FIN; the other direction stays open. Idempotent. */
  end(): void;
  /** Breaks the connection: the peer sees a reset, and what is pending is thrown away. Idempotent. */
  reset(): void;
  /**
   * Gives the socket back without waiting for the peer, and tells nothing more: the system delivers what it has, with
   * a FIN behind it. What is pending it does not have: then this is a `reset`, lest the peer take a part for the whole.
   */
  release(): void;
  /** No `onData` or `onEnd` until `resume`; the peer is slowed down. Idempotent, as `resume` is. */
  pause(): void;
  resume(): void;
}

export interface TcpListener extends Endpoint {
  /** Stops listening at once; connections stay. Idempotent. */
  close(): void;
}

export interface ListenHandlers {
  /** The connection reads nothing until it is given handlers; whoever does not want it resets it. */
  onConnection(socket: TcpSocket): void;
  /** A connection could not be accepted and is gone, for want of descriptors for example; the listener goes on. */
  onError(error: NetError): void;
  /** What a connection is told in front of its end if there is no descriptor for it; without it, it is reset. */
  readonly farewell?: Uint8Array;
}

/** What becomes of a connection for which there is no descriptor. */
export function turnAway(socket: TcpSocket, { farewell }: ListenHandlers): void {
  if (farewell === undefined) {
    socket.reset();
    return;
  }
  socket.write(farewell);
  socket.release();
}

export interface TcpBinding {
  /** Numeric. `::` stands for IPv6 alone. */
  readonly address: string;
  /** 0 lets the system choose. */
  readonly port: number;
  /** Connections that may wait to be accepted; the system may allow fewer. */
  readonly backlog?: number;
  /** Lets others of this program listen there if they wish so too; each connection is accepted by one of them. */
  readonly reusePort?: boolean;
}

export interface ConnectOptions {
  /** Where to connect from; the system chooses where it is left out. `port` 0 lets the system choose the port. */
  readonly from?: Endpoint;
  /** Milliseconds until the attempt is given up. */
  readonly timeout: number;
  readonly signal?: AbortSignal;
}

/** Addresses are numeric; one that is IPv4-mapped is told as IPv4. */
export interface TcpNet {
  /** Listens exclusively unless the binding says otherwise. Rejects with NetError. */
  listenTcp(at: TcpBinding, handlers: ListenHandlers): Promise<TcpListener>;
  /**
   * Rejects with the signal's reason or with NetError, and leaves nothing open then:
   *
   *   TLB_ERR_REFUSED                                 nobody listens there, or the peer reset it at once
   *   TLB_ERR_TIMEOUT, TLB_ERR_UNREACHABLE            no answer, no way
   *   TLB_ERR_PERMISSION, TLB_ERR_ADDRESS_NOT_LOCAL   `from` is not to be had
   *   TLB_ERR_ADDRESS_IN_USE                          nor is its port, at least not towards `to`
   *   TLB_ERR_NO_PORTS, TLB_ERR_NO_DESCRIPTORS        nothing is left of these
   *   TLB_ERR_SOCKET                                  anything else
   */
  connectTcp(to: Endpoint, options: ConnectOptions): Promise<TcpSocket>;
}
