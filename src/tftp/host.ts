/**
 * What TFTP end points need of the system that they run on. The shapes are those of the program's net interface,
 * declared here because protocol folders import nothing from it; any such net is a host.
 */

/** One end of a UDP conversation. `address` is numeric. */
export interface HostEndpoint {
  readonly address: string;
  readonly port: number;
}

export interface HostError extends Error {
  /** The socket is gone; else one datagram is lost at most. */
  readonly closed: boolean;
}

export interface HostHandlers {
  /** `data` may be overwritten after the call returns. */
  onDatagram(data: Uint8Array, port: number, address: string): void;
  onError(error: HostError): void;
}

export interface HostTidHandlers extends HostHandlers {
  /** Nobody listens on the port that the request went to (ICMP). */
  onRefused(): void;
}

export interface HostSocket extends HostEndpoint {
  /** Never throws; `data` may be reused after the call. */
  send(data: Uint8Array, port: number, address: string): void;
  /** Idempotent. No handler is called after it. */
  close(): void;
}

export interface HostTidSocket extends HostSocket {
  /** The peer's TID is known. */
  pinned(peerPort: number): void;
}

export interface HostTimer {
  cancel(): void;
}

export interface HostClock {
  /** Monotonic milliseconds. */
  now(): number;
  /** Calls back once, not before `delay` milliseconds have passed. */
  setTimer(delay: number, callback: () => void): HostTimer;
}

export interface Host extends HostClock {
  /** Throws where the address cannot be had; port 0 lets the system choose. */
  bindUdp(at: HostEndpoint & { readonly receiveBuffer?: number }, handlers: HostHandlers): HostSocket;
  /** A TID of one's own towards `peer`; `receiveBuffer` in bytes. Throws. */
  openTid(peer: HostEndpoint, handlers: HostTidHandlers, receiveBuffer?: number): HostTidSocket;
}
