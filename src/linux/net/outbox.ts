import type { MessageBatch } from '../message-batch.ts';

/** Who has sent a datagram. */
export interface Owner {
  /** It could not be sent, for the reason `errno` (positive). Told after the call that sent it. */
  onUnsent(errno: number): void;
}

/** The socket that a datagram leaves through. */
export interface Exit {
  readonly fd: number;
  /**
   * Whether the error (a positive errno) may be that of an earlier datagram, which the kernel tells whoever calls next,
   * and then forgets: so that the call is worth repeating.
   */
  mayRepeat(errno: number): boolean;
}

/** Errors of earlier datagrams that one which is to be sent may meet. */
const maxRepeats = 4;

/** Sends slots of a batch; those that follow each other and leave through the same socket in one call. */
export class Outbox {
  readonly #batch: MessageBatch;
  readonly #later: (callback: () => void) => void;
  readonly #owners: (Owner | undefined)[];
  #exit: Exit | undefined;
  #first = 0;
  #count = 0;

  /** `later` calls back after whatever is under way. */
  constructor(batch: MessageBatch, later: (callback: () => void) => void) {
    this.#batch = batch;
    this.#later = later;
    this.#owners = Array.from({ length: batch.slots });
  }

  /** Whether the slot waits here. */
  has(slot: number): boolean {
    return slot >= this.#first && slot < this.#first + this.#count;
  }

  /** The slot is ready to be sent. It has to stay as it is until the next `flush`. */
  put(exit: Exit, slot: number, owner: Owner): void {
    if (exit !== this.#exit || slot !== this.#first + this.#count) {
      this.flush();
      this.#exit = exit;
      this.#first = slot;
    }
    this.#owners[slot] = owner;
    this.#count += 1;
  }

  flush(): void {
    const exit = this.#exit;
    if (exit === undefined) return;
    const end = this.#first + this.#count;
    this.#exit = undefined;
    this.#count = 0;
    for (let slot = this.#first; slot < end;) slot += this.#send(exit, slot, end);
    this.#owners.fill(undefined, this.#first, end);
  }

  /** The number of slots that are done with, sent or not. */
  #send(exit: Exit, slot: number, end: number): number {
    for (let repeats = 0; ; repeats++) {
      const sent = this.#batch.send(exit.fd, slot, end - slot);
      if (sent > 0) return sent;
      if (repeats < maxRepeats && exit.mayRepeat(-sent)) continue;
      const owner = this.#owners[slot];
      this.#later(() => owner?.onUnsent(-sent));
      return 1;
    }
  }
}
