import { blockOf, encodeOack, Opcode } from '../../src/tftp/packet.ts';
import { decodeRequest, optionRecord, transferOptions } from '../../src/tftp/request.ts';
import type { Endpoint } from '../../src/net/net.ts';
import { blockSize } from '../messages.ts';
import { blocksOf, oneBlockLetter } from './file-names.ts';
import { Port } from './port.ts';
import type { Wire } from './wire.ts';

/** In place of the number of a file's last block. */
const endless = 0;

const headerLength = 4;
const fullLength = headerLength + blockSize;
/** Final in every block size there is. */
const lastLength = headerLength + 7;

/** How a responder answers requests: from another port, as servers do (RFC 1350 section 4), or from the same. */
export type Answering = 'ephemeral' | 'single-port';

/**
 * A TFTP server on one address that does as little work for each datagram as it can. It keeps no sessions: an ACK says
 * which blocks come next, and what the port that it comes from asked for is looked up in an array. All answers leave
 * from one second socket: for whoever relays them that is a new TID, and the server is spared a socket per transfer.
 */
export class Responder {
  readonly #wire: Wire;
  readonly #requests: Port;
  readonly #replies: Port;
  /** Blocks that follow an ACK, by the port that it comes from; 0 where a transfer has no further ones. */
  readonly #windows = new Uint16Array(65_536);
  /** The last block, by the client's port; `endless` where there is none. */
  readonly #lasts = new Uint16Array(65_536);

  /** Throws SyscallError. */
  constructor(wire: Wire, local: Endpoint, answering: Answering) {
    this.#wire = wire;
    this.#requests = new Port(wire, local, (count) => this.#serve(count));
    this.#replies =
      answering === 'single-port'
        ? this.#requests
        : new Port(wire, { ...local, port: 0 }, (count) => this.#serve(count));
  }

  get local(): Endpoint {
    return this.#requests.local;
  }

  /** Answers lie where the questions did; those that stand together leave together. */
  #serve(received: number): void {
    const { batch } = this.#wire;
    let from = 0;
    for (let slot = 0; slot < received; slot++) {
      if (this.#answer(slot)) continue;
      if (slot > from) this.#replies.send(batch, from, slot - from);
      from = slot + 1;
    }
    if (received > from) this.#replies.send(batch, from, received - from);
  }

  /** Whether the slot holds an answer now. */
  #answer(slot: number): boolean {
    const data = this.#wire.batch.data(slot);
    if (data[1] === Opcode.ack) return this.#onAck(slot, data);
    return data[1] === Opcode.rrq && this.#onRequest(slot, data);
  }

  #onAck(slot: number, data: Uint8Array): boolean {
    const { batch } = this.#wire;
    const client = batch.peers.port(slot);
    const window = this.#windows[client] ?? 0;
    if (window > 1) this.#sendWindow(slot, blockOf(data), window, client);
    if (window !== 1) return false;
    return this.#put(batch, slot, (blockOf(data) + 1) & 0xffff, this.#lasts[client] ?? 0);
  }

  /** Whether there is such a block. The payload is whatever the slot holds. */
  #put(batch: Wire['batch'], slot: number, block: number, last: number): boolean {
    const isLast = last !== endless && block === last;
    if (last !== endless && block > last) return false;
    const data = batch.data(slot);
    data[0] = 0;
    data[1] = Opcode.data;
    data[2] = block >> 8;
    data[3] = block & 0xff;
    batch.setLength(slot, isLast ? lastLength : fullLength);
    return true;
  }

  #sendWindow(slot: number, acknowledged: number, window: number, client: number): void {
    const { batch, outgoing: blocks } = this.#wire;
    const address = batch.peers.address4(slot);
    let count = 0;
    for (let step = 0; step < Math.min(window, blocks.slots); step++) {
      const block = (acknowledged + 1 + step) & 0xffff;
      if (!this.#put(blocks, step, block, this.#lasts[client] ?? 0)) break;
      blocks.peers.set4(step, address, client);
      count += 1;
    }
    this.#replies.send(blocks, 0, count);
  }

  #onRequest(slot: number, data: Uint8Array): boolean {
    const { batch } = this.#wire;
    const client = batch.peers.port(slot);
    this.#windows[client] = 0;
    // The most frequent request is not taken apart.
    if (data[2] === oneBlockLetter) return this.#put(batch, slot, 1, 1);
    const { file, options } = decodeRequest(data.subarray(0, batch.length(slot)));
    if (options.length === 0) return this.#put(batch, slot, 1, 1);
    this.#windows[client] = transferOptions(options).windowsize ?? 1;
    this.#lasts[client] = blocksOf(file);
    batch.write(slot, encodeOack(optionRecord(options)));
    return true;
  }
}
