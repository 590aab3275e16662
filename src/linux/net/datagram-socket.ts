import type { Endpoint } from '../../net/net.ts';
import { EAGAIN, EINTR, EPOLLERR } from '../constants.ts';
import { ERROR_ORIGIN } from '../error-queue.ts';
import { boundTo, close } from '../sockets.ts';
import type { Receiver, Watched } from './event-loop.ts';
import { isRefusal, mayComeLate } from './network-errors.ts';
import { orNetError } from './open-socket.ts';
import type { Exit, Owner } from './outbox.ts';
import type { LoopParts } from './parts.ts';
import type { SourceAddress } from './sender.ts';

/** Errors that are read in a row, before others get their turn. */
const maxErrors = 64;

/** What a socket is for. */
export interface SocketUser {
  /** `data` lies in `slot` of the loop's batch. */
  onDatagram(data: Uint8Array, port: number, address: string, slot: number): void;
  /** Nothing can be received, for the reason `errno` (positive). */
  onUnreceived(errno: number): void;
  /**
   * What was sent there was refused by ICMP; only where the socket was opened with `hearsErrors`. It is about to receive:
   * this is no time to close it.
   */
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

  /** Takes over `fd`, which is bound. Throws NetError, having closed it. */
  constructor(parts: LoopParts, fd: number, hearsErrors: boolean, user: SocketUser) {
    this.fd = fd;
    this.#parts = parts;
    this.#hearsErrors = hearsErrors;
    this.#user = user;
    parts.ledger.note(fd);
    try {
      const at = orNetError('cannot use a socket', () => boundTo(parts.libc, fd));
      this.address = at.address;
      this.port = at.port;
      orNetError('cannot wait for a socket', () => parts.loop.watch(this));
    } catch (error) {
      parts.ledger.forget(fd);
      close(parts.libc, fd);
      throw error;
    }
  }

  onReady(events: number): void {
    if ((events & EPOLLERR) !== 0) this.#readErrors();
    const result = this.#parts.loop.receive(this);
    if (result >= 0 || result === -EAGAIN || result === -EINTR || this.mayRepeat(-result)) return;
    this.#user.onUnreceived(-result);
  }

  onDatagram(slot: number, data: Uint8Array): void {
    if (!this.#isOpen) return;
    const { peers } = this.#parts.loop.batch;
    this.#user.onDatagram(data, peers.port(slot), this.#parts.book.text(peers, slot), slot);
  }

  /** From `from`, or the address that the socket is bound to. Throws nothing; failures reach `owner` after the call. */
  send(data: Uint8Array, port: number, address: string, owner: Owner, from?: SourceAddress): void {
    if (this.#isOpen) this.#parts.sender.send(this, data, port, address, owner, from);
  }

  mayRepeat(errno: number): boolean {
    return this.#hearsErrors && mayComeLate(errno);
  }

  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#parts.loop.unwatch(this);
    this.#parts.ledger.forget(this.fd);
    close(this.#parts.libc, this.fd);
  }

  #readErrors(): void {
    const { errors, book } = this.#parts;
    for (let count = 0; count < maxErrors && errors.read(this.fd) === 1; count++) {
      const origin = errors.origin();
      const isFromNetwork = origin === ERROR_ORIGIN.icmp || origin === ERROR_ORIGIN.icmp6;
      if (!isFromNetwork || !isRefusal(errors.errno())) continue;
      this.#user.onRefused(errors.destination.port(0), book.text(errors.destination, 0));
    }
  }
}
