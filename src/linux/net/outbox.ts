import type { MessageBatch } from '../message-batch.ts';

/** Who has sent a datagram. */
export interface Owner {
  /** It could not be sent, for the reason `errno` (positive). */
  onUnsent(errno: number): void;
}

/** The socket that a datagram leaves through. */
export interface Exit {
  readonly fd: number;
  /** True if the error may be that of an earlier datagram, which a later call was told, and is out of the way now. */
  clearError(): boolean;
}

/** Errors of earlier datagrams that are cleared for one that is to be sent. */
const maxClearings = 4;

/** Sends slots of a batch; those that follow each other and leave through the same socket in one call. */
export class Outbox {
  readonly #batch: MessageBatch;
  readonly #owners: (Owner | undefined)[];
  #exit: Exit | undefined;
  #first = 0;
  #count = 0;

  constructor(batch: MessageBatch) {
    this.#batch = batch;
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
    this.#exit = undefined;
    const end = this.#first + this.#count;
    this.#count = 0;
    for (let slot = this.#first; slot < end;) slot += this.#send(exit, slot, end);
  }

  /** The number of slots that are done with, sent or not. */
  #send(exit: Exit, slot: number, end: number): number {
    for (let clearings = 0; ; clearings++) {
      const sent = this.#batch.send(exit.fd, slot, end - slot);
      if (sent > 0) return sent;
      if (clearings < maxClearings && exit.clearError()) continue;
      this.#owners[slot]?.onUnsent(-sent);
      return 1;
    }
  }
}
