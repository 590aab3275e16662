import type { RemoteInfo, Socket } from 'node:dgram';

import { encodeAck, encodeRequest, Opcode } from '../../src/tftp/packet.ts';
import { loopback } from '../messages.ts';
import { openSocket } from './socket.ts';

const ack = encodeAck(1);
/** Digits of the number in each file name. */
const digits = 8;
/** Where they begin: behind the opcode and one letter. */
const digitsAt = 3;

/** A client that reads files of one short block, one after the other, each when it is told to. */
export class OneBlockClient {
  repeats = 0;
  errors = 0;
  readonly #socket: Socket = openSocket();
  readonly #port: number;
  readonly #onDone: () => void;
  readonly #request: Uint8Array = encodeRequest(Opcode.rrq, `f${'0'.repeat(digits)}`, 'octet');
  #isBusy = false;
  /** Whether the transfer was under way at the last look for stalled ones. */
  #wasBusy = false;

  constructor(port: number, onDone: () => void) {
    this.#port = port;
    this.#onDone = onDone;
    this.#socket.on('message', (data, from) => this.#onMessage(data, from));
  }

  get isBusy(): boolean {
    return this.#isBusy;
  }

  /** Reads file `number`. The name is part of what tells a new request from a repeated one. */
  read(number: number): void {
    let rest = number;
    for (let at = digitsAt + digits - 1; at >= digitsAt; at--) {
      this.#request[at] = 0x30 + (rest % 10);
      rest = Math.floor(rest / 10);
    }
    this.#isBusy = true;
    this.#wasBusy = false;
    this.#ask();
  }

  /** Asks again if the transfer was under way at the last call already. */
  sweep(): void {
    if (this.#isBusy && this.#wasBusy) {
      this.repeats += 1;
      this.#ask();
    }
    this.#wasBusy = this.#isBusy;
  }

  stop(): void {
    this.#socket.close();
  }

  #ask(): void {
    this.#socket.send(this.#request, this.#port, loopback);
  }

  #onMessage(data: Buffer, from: RemoteInfo): void {
    if (data[1] === Opcode.error) this.errors += 1;
    if (data[1] !== Opcode.data || !this.#isBusy) return;
    this.#socket.send(ack, from.port, loopback);
    this.#isBusy = false;
    this.#onDone();
  }
}
