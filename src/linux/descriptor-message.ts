import { Arena } from './arena.ts';
import {
  MSG_CMSG_CLOEXEC,
  MSG_CTRUNC,
  MSG_DONTWAIT,
  MSG_NOSIGNAL,
  MSG_TRUNC,
  SCM_RIGHTS,
  SOL_SOCKET,
} from './constants.ts';
import { controlSpace, findControl, NOT_FOUND, writeControl } from './control-messages.ts';
import { CMSGHDR } from './layout.ts';
import type { Libc } from './libc.ts';
import { MessageVector } from './message-vector.ts';

/** SCM_MAX_FD: descriptors that the kernel lets one message carry. */
export const MAX_DESCRIPTORS = 253;
/** Bytes of a descriptor. */
const SIZE = 4;

/** A message with descriptors, between two processes: memory for one at a time, sent or received. */
export class DescriptorMessage {
  readonly size: number;
  readonly #libc: Libc;
  readonly #data: Arena;
  readonly #control: Arena;
  readonly #vector: MessageVector;
  readonly #header: bigint;
  readonly #controlSize: number = controlSpace(MAX_DESCRIPTORS * SIZE);

  /** `size` is the number of bytes that a message may have. */
  constructor(libc: Libc, size: number) {
    this.size = size;
    this.#libc = libc;
    this.#data = new Arena(libc, size);
    this.#control = new Arena(libc, this.#controlSize);
    this.#vector = new MessageVector(libc, [
      {
        name: { arena: this.#data, offset: 0, size: 0 },
        control: { arena: this.#control, offset: 0, size: this.#controlSize },
        data: { arena: this.#data, offset: 0, size },
      },
    ]);
    this.#header = this.#vector.addressOf(0, 1);
  }

  /**
   * Sends both together, without waiting. The number of bytes, or a negative errno. The descriptors stay open here.
   * Throws RangeError if there is too much of either, or no byte at all.
   */
  send(fd: number, data: Uint8Array, descriptors: readonly number[]): number {
    if (data.length < 1 || data.length > this.size) {
      throw new RangeError(`a message of ${data.length} bytes, not 1 to ${this.size}`);
    }
    if (descriptors.length > MAX_DESCRIPTORS) {
      throw new RangeError(`${descriptors.length} descriptors, more than ${MAX_DESCRIPTORS}`);
    }
    this.#data.bytes.set(data);
    this.#vector.setNameLength(0, 0);
    this.#vector.setDataLength(0, data.length);
    this.#vector.setControlLength(0, this.#writeDescriptors(descriptors));
    return this.#libc.sendmsg(fd, this.#header, MSG_DONTWAIT | MSG_NOSIGNAL);
  }

  /**
   * Receives one, without waiting: 0 if the peer is gone, or a negative errno, -EAGAIN if there is none. The descriptors
   * are the caller's, those of a message that was cut as well.
   */
  receive(fd: number): ReceivedMessage | number {
    this.#vector.setDataLength(0, this.size);
    // The kernel leaves there how long the peer's name is, and would write as much of it the next time.
    this.#vector.setNameLength(0, 0);
    this.#vector.setControlLength(0, this.#controlSize);
    const length = this.#libc.recvmsg(fd, this.#header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (length <= 0) return length;
    return {
      data: Buffer.from(this.#data.bytes.subarray(0, length)),
      descriptors: this.#readDescriptors(),
      isCut: (this.#vector.flags(0) & (MSG_TRUNC | MSG_CTRUNC)) !== 0,
    };
  }

  #writeDescriptors(descriptors: readonly number[]): number {
    if (descriptors.length === 0) return 0;
    const size = descriptors.length * SIZE;
    const at = writeControl(this.#control, 0, SOL_SOCKET, SCM_RIGHTS, size);
    for (const [index, fd] of descriptors.entries()) this.#control.view.setInt32(at + index * SIZE, fd, true);
    return controlSpace(size);
  }

  #readDescriptors(): number[] {
    const length = Math.min(this.#vector.controlLength(0), this.#controlSize);
    const at = findControl(this.#control, 0, length, SOL_SOCKET, SCM_RIGHTS, SIZE);
    if (at === NOT_FOUND) return [];
    const end = at - CMSGHDR.size + this.#control.view.getUint32(at - CMSGHDR.size + CMSGHDR.length, true);
    const count = Math.floor((end - at) / SIZE);
    return Array.from({ length: count }, (_, index) => this.#control.view.getInt32(at + index * SIZE, true));
  }
}

export interface ReceivedMessage {
  readonly data: Uint8Array;
  readonly descriptors: readonly number[];
  /** Something of it is missing: it was too long, or this process has no descriptors left. */
  readonly isCut: boolean;
}
