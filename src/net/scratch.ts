/** Bytes: as much as is read at once. */
const length = 262_144;

/**
 * Memory to put pieces together in, again and again. What Buffer.concat allocates instead lies outside of the heap of
 * V8, which then collects garbage more often than data come.
 */
export class Scratch {
  #buffer: Buffer | undefined;

  /** All of `pieces` in a row: in the memory, which the next call overwrites, or in new memory if it is too small. */
  join(pieces: readonly Uint8Array[]): Uint8Array {
    const total = pieces.reduce((sum, piece) => sum + piece.length, 0);
    if (total > length) return Buffer.concat(pieces);
    const buffer = (this.#buffer ??= Buffer.allocUnsafeSlow(length));
    let at = 0;
    for (const piece of pieces) {
      buffer.set(piece, at);
      at += piece.length;
    }
    return buffer.subarray(0, total);
  }

  /** Leaves what was joined last to whoever has it. */
  giveAway(): void {
    this.#buffer = undefined;
  }
}
