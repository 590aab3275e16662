import type { Backend } from '../balance/pool.ts';
import type { NetError, TidHandlers } from '../net/net.ts';
import type { BackendTid, BackendTidOptions, BackendTids } from '../net/tids.ts';
import type { BackendPlaces, SavedLeg } from './saved-relay.ts';

/** What a leg tells the session that it belongs to. */
export interface LegOwner {
  onLegDatagram(leg: BackendLeg, data: Uint8Array, port: number, address: string): void;
  onLegRefused(leg: BackendLeg): void;
  onLegError(leg: BackendLeg, error: NetError): void;
}

/** One backend that was asked for a session: the backend-facing TID and, once it has answered, the backend's TID. */
export class BackendLeg implements TidHandlers {
  readonly backend: Backend;
  readonly #owner: LegOwner;
  readonly #socket: BackendTid;
  /** It has let a try interval pass without an answer. */
  isSilent = false;
  /** The backend's TID; port 0 as long as it has not answered. */
  peerPort = 0;
  peerAddress = '';

  /** Throws NetError. */
  constructor(tids: BackendTids, backend: Backend, options: BackendTidOptions, owner: LegOwner) {
    this.backend = backend;
    this.#owner = owner;
    this.#socket = tids.lend(backend, this, options);
  }

  /** Sends the request, to the backend's request port. */
  ask(request: Uint8Array): void {
    this.#socket.send(request, this.backend.port, this.backend.address);
  }

  /** The source of the first reply is the backend's TID from now on (RFC 1350 section 4). */
  pin(port: number, address: string): void {
    this.peerPort = port;
    this.peerAddress = address;
    this.#socket.pinned(port);
  }

  isPeer(port: number, address: string): boolean {
    return port === this.peerPort && address === this.peerAddress;
  }

  /** To the backend's TID. */
  send(data: Uint8Array): void {
    this.#socket.send(data, this.peerPort, this.peerAddress);
  }

  sendTo(data: Uint8Array, port: number, address: string): void {
    this.#socket.send(data, port, address);
  }

  /** Throws TypeError where sessions cannot be moved. */
  save(places: BackendPlaces): SavedLeg {
    const tid = this.#socket.move?.();
    if (!tid) throw new TypeError('the TIDs of this net stay where they are');
    const { backend, isSilent, peerPort, peerAddress } = this;
    return { backend: places.of(backend), tid, isSilent, peerPort, peerAddress };
  }

  close(): void {
    this.#socket.close();
  }

  onDatagram(data: Uint8Array, port: number, address: string): void {
    this.#owner.onLegDatagram(this, data, port, address);
  }

  onRefused(): void {
    this.#owner.onLegRefused(this);
  }

  onError(error: NetError): void {
    this.#owner.onLegError(this, error);
  }
}
