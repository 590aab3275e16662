import type { MessageBatch } from '../message-batch.ts';

/** Bytes up to which a datagram counts as short: an ACK, not a block. */
const short = 64;

/**
 * The datagrams in the slots of a batch as arrays of their own length. A view is made anew only where the slot's last
 * one of the same sort had another length, so that the blocks and ACKs of running transfers allocate nothing.
 */
export class SlotViews {
  readonly #batch: MessageBatch;
  readonly #shortViews: Uint8Array[];
  readonly #longViews: Uint8Array[];

  constructor(batch: MessageBatch) {
    this.#batch = batch;
    this.#shortViews = Array.from({ length: batch.slots }, () => new Uint8Array(0));
    this.#longViews = [...this.#shortViews];
  }

  of(slot: number): Uint8Array {
    const length = this.#batch.length(slot);
    const views = length <= short ? this.#shortViews : this.#longViews;
    const last = views[slot];
    if (last?.length === length) return last;
    const view = this.#batch.data(slot).subarray(0, length);
    views[slot] = view;
    return view;
  }
}
