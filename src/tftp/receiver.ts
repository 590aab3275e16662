/**
 * The end of a transfer that gets DATA and sends ACK: a client that reads, a server that is written to.
 *
 *   running -- the last block is in the sink, its ACK is out --> done      (answers repeats of the last block)
 *      `------ nothing new arrived during all retries ---------> timeout
 *
 * - Blocks are taken in order alone. The ACK goes out at the end of a window (RFC 7440 section 4), after the last
 *   block, and at once where a block is missing; for one gap once, however many blocks stand behind it.
 * - A repeat of the block that was acknowledged last gets the same ACK again, since that ACK may be lost. No other
 *   repeat gets one: an ACK in the middle of a running window makes the sender go back, and every packet from there
 *   on would travel twice until the end (the Sorcerer's Apprentice of RFC 1123 section 4.2.3.1, with windows).
 * - After silence the newest block is acknowledged again.
 * - Block numbers have 16 bits and 0 follows 65535.
 */
import { Backoff, type RetryRule } from './backoff.ts';
import type { Counts, Machine, MachineState } from './machine.ts';
import {
  blockOf,
  dataHeaderLength,
  encodeAck,
  ErrorCode,
  Opcode,
  opcodeOf,
  TftpProtocolError,
} from './packet.ts';
import type { ByteSink } from './sink.ts';

export interface ReceiverOptions {
  readonly blksize: number;
  readonly windowsize: number;
  readonly retry: RetryRule;
  /** Asks for block 1: ACK 0 or OACK. Undefined where block 1 is there already and is the first packet. */
  readonly opening: Uint8Array | undefined;
  readonly sink: ByteSink;
  readonly send: (packet: Uint8Array) => void;
}

export class Receiver implements Machine {
  readonly #options: ReceiverOptions;
  readonly #backoff: Backoff;
  #state: MachineState = 'running';
  /** The newest block in the sink and the one that was acknowledged last, not cut to 16 bits. */
  #newest = 0;
  #acknowledged = 0;
  #gapReported = false;
  /** The sink wants no more for now: the next ACK waits for it. */
  #sinkFull = false;
  #ackWaits = false;
  #bytes = 0;
  #repeats = 0;

  constructor(options: ReceiverOptions) {
    this.#options = options;
    this.#backoff = new Backoff(options.retry);
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
    if (this.#options.opening !== undefined) this.#options.send(this.#options.opening);
    this.#backoff.start(now);
  }

  onPacket(packet: Uint8Array, now: number): void {
    if (opcodeOf(packet) !== Opcode.data || this.#state === 'timeout') return;
    const block = blockOf(packet);
    const ahead = (block - this.#newest - 1) & 0xffff;
    if (this.#state === 'running' && ahead === 0) this.#take(packet.subarray(dataHeaderLength), now);
    else if (this.#state === 'running' && ahead < this.#options.windowsize) this.#reportGap();
    else this.#onRepeat(block);
  }

  onTimeout(now: number): void {
    if (!this.#backoff.retry(now)) {
      this.#state = 'timeout';
      return;
    }
    this.#repeats += 1;
    this.#gapReported = false;
    if (this.#newest === 0 && this.#options.opening !== undefined) this.#options.send(this.#options.opening);
    else this.#acknowledge();
  }

  wake(now: number): void {
    this.#sinkFull = false;
    if (!this.#ackWaits || this.#state !== 'running') return;
    this.#ackWaits = false;
    this.#backoff.start(now);
    this.#acknowledge();
  }

  #take(payload: Uint8Array, now: number): void {
    const { blksize, windowsize, sink } = this.#options;
    if (payload.length > blksize) {
      throw new TftpProtocolError(ErrorCode.illegalOperation, 'a DATA packet is longer than the block size');
    }
    this.#newest += 1;
    this.#bytes += payload.length;
    this.#gapReported = false;
    this.#sinkFull = !sink.write(payload) || this.#sinkFull;
    if (payload.length < blksize) {
      this.#finish();
      return;
    }
    this.#backoff.start(now);
    if (this.#newest - this.#acknowledged >= windowsize) this.#acknowledge();
  }

  #finish(): void {
    this.#options.sink.end();
    this.#sinkFull = false;
    this.#backoff.stop();
    this.#state = 'done';
    this.#acknowledge();
  }

  #reportGap(): void {
    if (this.#gapReported) return;
    this.#gapReported = true;
    this.#acknowledge();
  }

  #onRepeat(block: number): void {
    this.#repeats += 1;
    const isAcknowledged = this.#acknowledged > 0 && block === (this.#acknowledged & 0xffff);
    if (isAcknowledged && !this.#ackWaits) this.#options.send(encodeAck(block));
  }

  #acknowledge(): void {
    if (this.#sinkFull) {
      this.#ackWaits = true;
      this.#backoff.stop();
      return;
    }
    this.#acknowledged = this.#newest;
    this.#options.send(encodeAck(this.#newest & 0xffff));
  }
}
