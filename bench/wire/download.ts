import type { RemoteInfo, Socket } from 'node:dgram';

import { encodeAck, encodeError, encodeRequest, ErrorCode, Opcode } from '../../src/tftp/packet.ts';
import { blockSize, loopback } from '../messages.ts';
import { openSocket } from './socket.ts';

const goodbye = encodeError(ErrorCode.notDefined, 'enough');

export interface DownloadOptions {
  /** Where the request goes. */
  readonly port: number;
  readonly windowsize: number;
  /** Given, the client takes the first block, calls this, and waits for good. */
  readonly onHeld?: () => void;
}

/** A client that reads a file without an end (RFC 1350, RFC 7440), from a socket of its own. */
export class Download {
  blocks = 0;
  repeats = 0;
  errors = 0;
  readonly #socket: Socket = openSocket();
  readonly #port: number;
  readonly #windowsize: number;
  readonly #onHeld: (() => void) | undefined;
  readonly #request: Uint8Array;
  readonly #ack: Uint8Array = encodeAck(0);
  /** Whether the server has answered; the socket is connected to its TID then. */
  #isAnswered = false;
  /** Block that comes next. */
  #next = 1;
  /** Blocks since the last ACK. */
  #unacknowledged = 0;
  #isGapTold = false;
  /** Blocks at the last look for stalled transfers. */
  #seen = -1;

  constructor({ port, windowsize, onHeld }: DownloadOptions) {
    this.#port = port;
    this.#windowsize = windowsize;
    this.#onHeld = onHeld;
    this.#request = encodeRequest(Opcode.rrq, 'endless', 'octet', {
      blksize: String(blockSize),
      ...(windowsize > 1 && { windowsize: String(windowsize) }),
    });
    this.#socket.on('message', (data, from) => this.#onMessage(data, from));
    this.#ask();
  }

  /** Sends again what was sent last if no block has come since the last call. */
  sweep(): void {
    if (this.blocks === this.#seen && !this.#isHeld) {
      this.repeats += 1;
      if (this.#isAnswered) this.#acknowledge();
      else this.#ask();
    }
    this.#seen = this.blocks;
  }

  stop(): void {
    if (this.#isAnswered) this.#socket.send(goodbye);
    this.#socket.close();
  }

  get #isHeld(): boolean {
    return this.#onHeld !== undefined && this.blocks > 0;
  }

  #ask(): void {
    this.#socket.send(this.#request, this.#port, loopback);
  }

  #onMessage(data: Buffer, from: RemoteInfo): void {
    if (data[1] === Opcode.error) this.errors += 1;
    else if (data[1] === Opcode.oack) this.#onOack(from.port);
    else if (this.#isAnswered) this.#onData(((data[2] ?? 0) << 8) | (data[3] ?? 0));
  }

  #onOack(port: number): void {
    if (this.#isAnswered) return;
    this.#isAnswered = true;
    this.#socket.connect(port, loopback);
    this.#acknowledge();
  }

  #onData(block: number): void {
    if (block !== this.#next) {
      // What lies behind is a copy.
      if (((block - this.#next) & 0xffff) < 0x8000) this.#onGap();
      return;
    }
    this.blocks += 1;
    this.#next = (block + 1) & 0xffff;
    this.#isGapTold = false;
    this.#unacknowledged += 1;
    if (this.#onHeld) this.#onHeld();
    else if (this.#unacknowledged === this.#windowsize) this.#acknowledge();
  }

  /** A block is missing: the server goes back to it, and is told so once (RFC 7440 section 4). */
  #onGap(): void {
    if (this.#isGapTold) return;
    this.#isGapTold = true;
    this.repeats += 1;
    this.#acknowledge();
  }

  /** All blocks in front of the next one. */
  #acknowledge(): void {
    const block = (this.#next - 1) & 0xffff;
    this.#ack[2] = block >> 8;
    this.#ack[3] = block & 0xff;
    this.#unacknowledged = 0;
    this.#socket.send(this.#ack);
  }
}
