import type { Libc } from './libc.ts';
import { close } from './sockets.ts';

/** Descriptors are lower: the hard limit of a process on any Linux that its operator has not raised (fs.nr_open). */
const capacity = 1_048_576;
const bits = 32;

/** Memory for a ledger, all of it empty. */
export function createLedgerMemory(): SharedArrayBuffer {
  return new SharedArrayBuffer(capacity / 8);
}

/**
 * The descriptors that a thread has opened by system calls, in memory that it shares with its supervisor: they are the
 * process's, and stay open when the thread dies.
 */
export class DescriptorLedger {
  readonly #words: Int32Array;

  constructor(memory: SharedArrayBuffer) {
    this.#words = new Int32Array(memory);
  }

  /** One beyond the capacity is not noted: it would stay open behind a thread that dies, and nothing worse. */
  note(fd: number): void {
    if (fd < capacity) Atomics.or(this.#words, Math.floor(fd / bits), 1 << (fd % bits));
  }

  /** To be called before the descriptor is closed: its number is another's at once. */
  forget(fd: number): void {
    if (fd < capacity) Atomics.and(this.#words, Math.floor(fd / bits), ~(1 << (fd % bits)));
  }

  has(fd: number): boolean {
    return ((this.#words[Math.floor(fd / bits)] ?? 0) & (1 << (fd % bits))) !== 0;
  }

  /** For a thread that is gone. */
  closeAll(libc: Libc): void {
    for (const [index, word] of this.#words.entries()) {
      if (word === 0) continue;
      for (let bit = 0; bit < bits; bit++) {
        if ((word & (1 << bit)) !== 0) close(libc, index * bits + bit);
      }
    }
    this.#words.fill(0);
  }
}
