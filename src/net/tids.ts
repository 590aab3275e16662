/**
 * The seam between a TFTP engine and the operating system. TIDs are lent, so that an implementation may let many of
 * them share a socket: own-tids.ts opens one for each, on any Net; the Linux engine's net shares them.
 */
import type {
  Clock,
  Endpoint,
  LocalAddress,
  TidHandlers,
  TidSocket,
  UdpBinding,
  UdpHandlers,
  UdpSocket,
} from './net.ts';

/**
 * Hears what comes to a TID from an address that it was not lent for. `tid` answers from there; it is undefined as long
 * as this may be a first reply from another address, which is dropped in silence.
 */
export type OnStranger = (
  tid: UdpSocket | undefined,
  data: Uint8Array,
  port: number,
  address: string,
) => void;

export interface VipTidOptions {
  /** The VIP. */
  readonly address: string;
  /** Where the TIDs are taken from, at random; undefined leaves them to the system. */
  readonly ports: { readonly first: number; readonly last: number } | undefined;
}

/** A TID for another process that goes on with its session, on a net there that can take sockets over. */
export interface MovedTid {
  /** Of the socket, which other sessions may share. */
  readonly fd: number;
}

export interface VipTid extends UdpSocket {
  /** Left out on nets whose TIDs stay where they are. */
  move?(): MovedTid;
}

export interface VipLendOptions {
  /** Bytes; the system's default if undefined. */
  readonly receiveBuffer?: number | undefined;
  /** The TID is this one. Nets that cannot take it over ignore it. */
  readonly moved?: MovedTid | undefined;
}

/** The VIP TIDs of one listener. */
export interface VipTids {
  /**
   * A TID that no other live session of `client` has; its handlers hear the client alone. Closing it gives it back.
   * Throws NetError.
   */
  lend(client: Endpoint, handlers: UdpHandlers, options?: VipLendOptions): VipTid;
  /** No more will be lent; those that are stay until they are closed. */
  close(): void;
}

export interface MovedBackendTid extends MovedTid {
  /** The socket is no other session's. */
  readonly isAlone: boolean;
  /** The handlers hear everybody. */
  readonly hearsAll: boolean;
  /** The peer's TID is known, and whether refusals of its request port still count. */
  readonly isAnswered: boolean;
  readonly hearsRefusals: boolean;
}

export interface BackendTid extends TidSocket {
  /** As that of a VIP TID. */
  move?(): MovedBackendTid;
}

export interface BackendTidOptions {
  /** Bytes of receive buffer; the system's default if undefined. */
  readonly receiveBuffer: number | undefined;
  /** The peer may answer from another address: the handlers hear everybody. */
  readonly anyAddress: boolean;
  /** The address to send from, if not one of this host. Nets that cannot do that ignore it. */
  readonly source?: string | undefined;
  /** The TID is this one, and what else is said here does not count. Nets that cannot take it over ignore it. */
  readonly moved?: MovedBackendTid | undefined;
}

/** The backend-facing TIDs of one service. */
export interface BackendTids {
  /** As Net.openTid, but the handlers hear the address of `peer` alone, unless `anyAddress` is set. Throws NetError. */
  lend(peer: Endpoint, handlers: TidHandlers, options: BackendTidOptions): BackendTid;
  /** As that of VipTids. */
  close(): void;
}

/** What a TFTP engine asks of the operating system. */
export interface TidNet extends Clock {
  /** Binds exclusively, or takes its part of a group that was bound for it, at once. Throws NetError. */
  bindUdp(at: UdpBinding, handlers: UdpHandlers): UdpSocket;
  vipTids(options: VipTidOptions, onStranger: OnStranger): VipTids;
  backendTids(onStranger: OnStranger): BackendTids;
  localAddresses(): LocalAddress[];
  /** As in Net. */
  mtuOf(address: string): number | undefined;
  /** Uniform in [0, 1). */
  random(): number;
}
