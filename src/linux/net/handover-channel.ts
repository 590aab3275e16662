/**
 * What two processes say to each other while one takes over from the other: JSON with descriptors, over a unix socket.
 * The few messages of a takeover are waited for by looking again and again, as Node's loop knows nothing of the socket.
 *
 *   piece     a byte, 1 if it is the last of its message, else 0; then UTF-8 text, and descriptors beside it
 *   message   the texts of its pieces in a row are JSON; its descriptors are those of all pieces, in this order
 */
import type { Clock } from '../../net/net.ts';
import { EAGAIN } from '../constants.ts';
import { DescriptorMessage, MAX_DESCRIPTORS } from '../descriptor-message.ts';
import type { Libc } from '../libc.ts';
import { close } from '../sockets.ts';
import { SyscallError } from '../syscall-error.ts';

/** Bytes of a piece: the kernel's default buffer holds several. */
const pieceSize = 32_768;
/** Bytes that a message may have: a hundred thousand sessions have less. */
const maxLength = 268_435_456;
/** Descriptors that a message may have: more than a process has by default. */
const maxDescriptors = 1_048_576;
/** Milliseconds between two looks. */
const interval = 2;

export interface HandoverMessage {
  readonly value: unknown;
  /** The receiver's. */
  readonly descriptors: readonly number[];
}

/** The other process has gone, is silent, or says what nobody can read. */
export class HandoverError extends Error {
  override readonly name = 'HandoverError';
  readonly code = 'TLB_ERR_HANDOVER';
}

export class HandoverChannel {
  readonly #libc: Libc;
  readonly #fd: number;
  readonly #clock: Clock;
  readonly #message: DescriptorMessage;
  #isOpen = true;

  /** Takes over `fd`, which is connected. */
  constructor(libc: Libc, fd: number, clock: Clock) {
    this.#libc = libc;
    this.#fd = fd;
    this.#clock = clock;
    this.#message = new DescriptorMessage(libc, pieceSize);
  }

  /** The descriptors stay open here, too. Rejects with HandoverError, also after so many milliseconds. */
  async send(value: unknown, descriptors: readonly number[], patience: number): Promise<void> {
    const text = Buffer.from(JSON.stringify(value), 'utf8');
    const room = pieceSize - 1;
    const pieces = Math.max(
      Math.ceil(text.length / room),
      Math.ceil(descriptors.length / MAX_DESCRIPTORS),
      1,
    );
    const end = this.#clock.now() + patience;
    for (let piece = 0; piece < pieces; piece++) {
      const isLast = piece === pieces - 1 ? 1 : 0;
      const data = Buffer.concat([Buffer.of(isLast), text.subarray(piece * room, (piece + 1) * room)]);
      const some = descriptors.slice(piece * MAX_DESCRIPTORS, (piece + 1) * MAX_DESCRIPTORS);
      await this.#until(end, () => {
        const sent = this.#message.send(this.#fd, data, some);
        return sent === -EAGAIN ? undefined : this.#checked(sent);
      });
    }
  }

  /** Rejects with HandoverError, also after so many milliseconds. */
  async receive(patience: number): Promise<HandoverMessage> {
    const end = this.#clock.now() + patience;
    const texts: Uint8Array[] = [];
    const descriptors: number[] = [];
    try {
      for (let length = 0; length <= maxLength && descriptors.length <= maxDescriptors;) {
        const { data, descriptors: some } = await this.#until(end, () => this.#receivePiece());
        descriptors.push(...some);
        texts.push(data.subarray(1));
        length += data.length;
        if (data[0] === 1) return { value: parse(Buffer.concat(texts)), descriptors };
      }
      throw new HandoverError('a message is too long');
    } catch (error) {
      for (const fd of descriptors) close(this.#libc, fd);
      throw error;
    }
  }

  /** The peer notices. Idempotent. */
  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    close(this.#libc, this.#fd);
  }

  #receivePiece(): { readonly data: Uint8Array; readonly descriptors: readonly number[] } | undefined {
    const received = this.#message.receive(this.#fd);
    if (received === -EAGAIN) return undefined;
    if (typeof received === 'number') {
      this.#checked(received);
      throw new HandoverError('the other process has closed the connection');
    }
    if (!received.isCut) return received;
    for (const fd of received.descriptors) close(this.#libc, fd);
    throw new HandoverError('a message was cut: this process may have no more descriptors (ulimit -n)');
  }

  #checked(result: number): number {
    if (result >= 0) return result;
    const { message } = new SyscallError('unix socket', -result);
    throw new HandoverError(`the other process cannot be reached (${message})`);
  }

  /** What `attempt` returns when it returns something. */
  async #until<Result>(end: number, attempt: () => Result | undefined): Promise<Result> {
    for (;;) {
      if (!this.#isOpen) throw new HandoverError('the connection was closed');
      const result = attempt();
      if (result !== undefined) return result;
      if (this.#clock.now() >= end) throw new HandoverError('the other process does not answer in time');
      await pause(this.#clock);
    }
  }
}

/** The connection that comes to a listening socket within so many milliseconds. Rejects with HandoverError. */
export async function accepted(attempt: () => number, clock: Clock, patience: number): Promise<number> {
  const end = clock.now() + patience;
  for (;;) {
    const fd = attempt();
    if (fd >= 0) return fd;
    if (fd !== -EAGAIN) throw new HandoverError(new SyscallError('accept4', -fd).message);
    if (clock.now() >= end) throw new HandoverError('the other process does not connect in time');
    await pause(clock);
  }
}

function parse(text: Buffer): unknown {
  try {
    return JSON.parse(text.toString('utf8'));
  } catch (cause) {
    throw new HandoverError('a message is no JSON', { cause });
  }
}

async function pause(clock: Clock): Promise<void> {
  await new Promise<void>((resolve) => clock.setTimer(interval, resolve));
}
