import { Arena } from './arena.ts';
import {
  EAGAIN,
  IPPROTO_IP,
  IPPROTO_IPV6,
  IP_RECVERR,
  IPV6_RECVERR,
  MSG_DONTWAIT,
  MSG_ERRQUEUE,
} from './constants.ts';
import { findControl, NOT_FOUND } from './control-messages.ts';
import { SOCK_EXTENDED_ERR } from './layout.ts';
import type { Libc } from './libc.ts';
import { MessageVector } from './message-vector.ts';
import { NAME_SIZE, SocketNames } from './socket-names.ts';

/** The error with the address of who told it, and what other options add. */
const CONTROL_SIZE = 256;

/** Who found the error (ee_origin in ip(7)). */
export const ERROR_ORIGIN = { none: 0, local: 1, icmp: 2, icmp6: 3 } as const;

/**
 * Reads the errors that a socket has queued (IP_RECVERR, IPV6_RECVERR): one at a time, each with the destination of the
 * datagram that it is about. Allocates nothing once made.
 */
export class ErrorQueue {
  /** Slot 0: where the datagram was sent to. */
  readonly destination: SocketNames;
  readonly #libc: Libc;
  readonly #control: Arena;
  readonly #vector: MessageVector;
  readonly #header: bigint;
  #at: number = NOT_FOUND;

  constructor(libc: Libc) {
    this.#libc = libc;
    this.destination = new SocketNames(libc, 1);
    this.#control = new Arena(libc, CONTROL_SIZE);
    const name = { arena: this.destination.arena, offset: 0, size: NAME_SIZE };
    const control = { arena: this.#control, offset: 0, size: CONTROL_SIZE };
    const data = { arena: new Arena(libc, 8), offset: 0, size: 0 };
    this.#vector = new MessageVector(libc, [{ name, control, data }]);
    this.#header = this.#vector.addressOf(0, 1);
  }

  /** 1 if it has read an error, 0 if none is queued, or a negative errno. Never waits. */
  read(fd: number): number {
    this.#vector.setNameLength(0, NAME_SIZE);
    this.#vector.setControlLength(0, CONTROL_SIZE);
    this.#at = NOT_FOUND;
    const result = this.#libc.recvmsg(fd, this.#header, MSG_ERRQUEUE | MSG_DONTWAIT);
    if (result === -EAGAIN) return 0;
    if (result < 0) return result;
    this.#at = this.#find(IPPROTO_IP, IP_RECVERR);
    if (this.#at === NOT_FOUND) this.#at = this.#find(IPPROTO_IPV6, IPV6_RECVERR);
    return 1;
  }

  /** Positive, as in errno(3): ECONNREFUSED for port unreachable. */
  errno(): number {
    return this.#at === NOT_FOUND
      ? 0
      : this.#control.view.getUint32(this.#at + SOCK_EXTENDED_ERR.errno, true);
  }

  /** One of ERROR_ORIGIN. */
  origin(): number {
    return this.#byte(SOCK_EXTENDED_ERR.origin);
  }

  /** Type of the ICMP message. */
  type(): number {
    return this.#byte(SOCK_EXTENDED_ERR.type);
  }

  /** Code of the ICMP message. */
  code(): number {
    return this.#byte(SOCK_EXTENDED_ERR.code);
  }

  /** Where the error is EMSGSIZE: the MTU of the path in bytes. */
  info(): number {
    return this.#at === NOT_FOUND ? 0 : this.#control.view.getUint32(this.#at + SOCK_EXTENDED_ERR.info, true);
  }

  #byte(field: number): number {
    return this.#at === NOT_FOUND ? 0 : this.#control.view.getUint8(this.#at + field);
  }

  #find(level: number, type: number): number {
    const length = Math.min(this.#vector.controlLength(0), CONTROL_SIZE);
    return findControl(this.#control, 0, length, level, type, SOCK_EXTENDED_ERR.size);
  }
}
