import type { Endpoint } from '../../net/net.ts';
import { EAGAIN, EINTR, EPOLLERR } from '../constants.ts';
import { ERROR_ORIGIN } from '../error-queue.ts';
import { boundTo, close } from '../sockets.ts';
import type { Receiver, Watched } from './event-loop.ts';
import type { Exit, Owner } from './outbox.ts';
import type { LoopParts } from './parts.ts';
import type { SourceAddress } from './sender.ts';

/** What a socket is for. */
export interface SocketUser extends Owner {
  /** `data` lies in `slot` of the loop's batch. */
  onDatagram(data: Uint8Array, port: number, address: string, slot: number): void;
  /** What was sent there was refused by ICMP; only where the socket was opened with `hearsErrors`. */
  onRefused(port: number, address: string): void;
}

/** One UDP socket of an event loop. Closing it sends first what waits. */
export class DatagramSocket implements Watched, Receiver, Exit, Endpoint {
  readonly fd: number;
  readonly address: string;
  readonly port: number;
  readonly #parts: LoopParts;
  readonly #hearsErrors: boolean;
  readonly #user: SocketUser;
  #isOpen = true;

  /** Takes over `fd`, which is bound. Throws SyscallError. */
  constructor(parts: LoopParts, fd: number, hearsErrors: boolean, user: SocketUser) {
    this.fd = fd;
    ({ address: this.address, port: this.port } = boundTo(parts.libc, fd));
    this.#parts = parts;
    this.#hearsErrors = hearsErrors;
    this.#user = user;
    parts.ledger.note(fd);
    parts.loop.watch(this);
  }

  onReady(events: number): void {
    if ((events & EPOLLERR) !== 0) this.clearError();
    const result = this.#parts.loop.receive(this);
    if (result >= 0 || result === -EAGAIN || result === -EINTR || this.clearError()) return;
    this.#user.onUnsent(-result);
  }

  onDatagram(slot: number, data: Uint8Array): void {
    if (!this.#isOpen) return;
    const { peers } = this.#parts.loop.batch;
    this.#user.onDatagram(data, peers.port(slot), this.#parts.book.text(peers, slot), slot);
  }

  /** From `from`, or the address that the socket is bound to. Throws nothing; failures reach `owner`. */
  send(data: Uint8Array, port: number, address: string, owner: Owner, from?: SourceAddress): void {
    if (this.#isOpen) this.#parts.sender.send(this, data, port, address, owner, from);
  }

  clearError(): boolean {
    if (!this.#hearsErrors) return false;
    const { errors, book } = this.#parts;
    let isCleared = false;
    while (errors.read(this.fd) === 1) {
      isCleared = true;
      const origin = errors.origin();
      if (origin !== ERROR_ORIGIN.icmp && origin !== ERROR_ORIGIN.icmp6) continue;
      this.#user.onRefused(errors.destination.port(0), book.text(errors.destination, 0));
    }
    return isCleared;
  }

  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#parts.loop.unwatch(this);
    this.#parts.ledger.forget(this.fd);
    close(this.#parts.libc, this.fd);
  }
}
