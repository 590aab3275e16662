/**
 * The end of a transfer that sends DATA and gets ACK: a server that is read from, a client that writes.
 *
 *   opening -- ACK 0 --> running -- the last block is acknowledged --> done
 *      `-------------------`------- no progress during all retries --> timeout
 *
 * - Up to a window of blocks is out (RFC 7440 section 4; one block without the option). An ACK for any of them confirms
 *   all up to it; what follows is sent (again) from there, since an ACK inside a window says that the rest was lost.
 * - An ACK that confirms nothing new triggers nothing (RFC 1123 section 4.2.3.1): only the timer repeats.
 * - The timer repeats from the first block without ACK.
 * - Block numbers have 16 bits and 0 follows 65535. A window is shorter than that, so no ACK is ambiguous.
 * - A block is read from its source whenever it is sent: nothing but one packet is held.
 */
import { Backoff, type RetryRule } from './backoff.ts';
import type { Counts, Machine, MachineState } from './machine.ts';
import { blockOf, dataHeaderLength, Opcode, opcodeOf } from './packet.ts';
import { notYet, type ReadBlock } from './source.ts';

export interface SenderOptions {
  readonly blksize: number;
  readonly windowsize: number;
  readonly retry: RetryRule;
  /** An OACK, which waits for ACK 0 before any DATA. Undefined where the transfer starts with block 1. */
  readonly opening: Uint8Array | undefined;
  readonly read: ReadBlock;
  readonly send: (packet: Uint8Array) => void;
}

export class Sender implements Machine {
  readonly #options: SenderOptions;
  readonly #backoff: Backoff;
  readonly #packet: Uint8Array;
  #state: MachineState = 'running';
  /** First block without an ACK, the one to send next, and the newest ever sent. 0 stands for the opening packet. */
  #first: number;
  #next = 1;
  #newest = 0;
  /** Known once the source has ended. */
  #last = Number.POSITIVE_INFINITY;
  #bytes = 0;
  #repeats = 0;

  constructor(options: SenderOptions) {
    this.#options = options;
    this.#backoff = new Backoff(options.retry);
    this.#packet = new Uint8Array(dataHeaderLength + options.blksize);
    this.#packet[1] = Opcode.data;
    this.#first = options.opening === undefined ? 1 : 0;
  }

  get state(): MachineState {
    return this.#state;
  }

  get deadline(): number | undefined {
    return this.#backoff.deadline;
  }

  get counts(): Counts {
    return { bytes: this.#bytes, blocks: this.#newest, repeats: this.#repeats };
  }

  start(now: number): void {
    this.#backoff.start(now);
    this.#sendWindow();
  }

  onPacket(packet: Uint8Array, now: number): void {
    if (opcodeOf(packet) !== Opcode.ack || this.#state !== 'running') return;
    const confirmed = (blockOf(packet) - this.#first + 1) & 0xffff;
    if (confirmed === 0 || confirmed > this.#next - this.#first) {
      this.#repeats += 1;
      return;
    }
    this.#first += confirmed;
    if (this.#first > this.#last) {
      this.#state = 'done';
      this.#backoff.stop();
      return;
    }
    this.#next = this.#first;
    this.#backoff.start(now);
    this.#sendWindow();
  }

  onTimeout(now: number): void {
    if (!this.#backoff.retry(now)) {
      this.#state = 'timeout';
      return;
    }
    this.#next = Math.max(1, this.#first);
    if (this.#first === 0) this.#repeats += 1;
    this.#sendWindow();
  }

  wake(now: number): void {
    if (this.#state !== 'running' || this.#first === 0) return;
    if (this.#backoff.deadline === undefined) this.#backoff.start(now);
    this.#sendWindow();
  }

  #sendWindow(): void {
    if (this.#first === 0) {
      if (this.#options.opening !== undefined) this.#options.send(this.#options.opening);
      return;
    }
    const end = this.#first + this.#options.windowsize;
    while (this.#next < end && this.#next <= this.#last && this.#sendNext());
    if (this.#next === this.#first) this.#backoff.stop();
  }

  /** False if the source has nothing yet. */
  #sendNext(): boolean {
    const length = this.#options.read(this.#next, this.#packet.subarray(dataHeaderLength));
    if (length === notYet) return false;
    if (length < this.#options.blksize) this.#last = this.#next;
    if (this.#next > this.#newest) {
      this.#newest = this.#next;
      this.#bytes += length;
    } else {
      this.#repeats += 1;
    }
    this.#packet[2] = (this.#next >> 8) & 0xff;
    this.#packet[3] = this.#next & 0xff;
    this.#options.send(this.#packet.subarray(0, dataHeaderLength + length));
    this.#next += 1;
    return true;
  }
}
