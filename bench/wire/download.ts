import { encodeAck, encodeError, encodeRequest, ErrorCode, Opcode } from '../../src/tftp/packet.ts';
import type { Endpoint } from '../../src/net/net.ts';
import { blockSize } from '../messages.ts';
import { numberOf } from './addresses.ts';
import type { ClientPort } from './client-ports.ts';
import { endlessFile, fileOf, numberRequest, oneBlockFile } from './file-names.ts';
import type { Wire } from './wire.ts';

const goodbye = encodeError(ErrorCode.notDefined, 'enough');
const ackLength = 4;
const fullLength = 4 + blockSize;

/** What a client reads. */
export type File =
  | { readonly kind: 'endless'; readonly windowsize: number }
  | { readonly kind: 'blocks'; readonly blocks: number }
  /** Its first block, and then the client waits for good. */
  | { readonly kind: 'held' };

export interface DownloadOptions {
  readonly file: File;
  /** Where requests go. */
  readonly target: Endpoint;
  /** Called when a file is complete, or held. */
  readonly onEnd?: () => void;
}

/** A client that reads files, one after the other (RFC 1350, RFC 7440). */
export class Download {
  /** Of all files. */
  blocks = 0;
  repeats = 0;
  errors = 0;
  readonly #wire: Wire;
  readonly #from: ClientPort;
  readonly #target: Endpoint;
  readonly #address: number;
  readonly #file: File;
  readonly #windowsize: number;
  readonly #onEnd: (() => void) | undefined;
  readonly #request: Uint8Array;
  #isBusy = false;
  /** The server's TID; 0 before it has answered. */
  #tid = 0;
  #isConnected = false;
  /** Block that comes next. */
  #next = 1;
  /** Blocks since the last ACK. */
  #unacknowledged = 0;
  #isGapTold = false;
  /** Blocks at the last look for stalled transfers. */
  #seen = -1;

  constructor(wire: Wire, from: ClientPort, { file, target, onEnd }: DownloadOptions) {
    this.#wire = wire;
    this.#from = from;
    this.#target = target;
    this.#address = numberOf(target.address);
    this.#file = file;
    this.#windowsize = file.kind === 'endless' ? file.windowsize : 1;
    this.#onEnd = onEnd;
    this.#request = requestFor(file);
  }

  get isBusy(): boolean {
    return this.#isBusy;
  }

  /** Reads file `number`; one without an end has none, and is read once. */
  read(number: number): void {
    if (this.#file.kind === 'blocks') numberRequest(this.#request, number);
    this.#isBusy = true;
    this.#tid = 0;
    this.#next = 1;
    this.#unacknowledged = 0;
    this.#isGapTold = false;
    this.#seen = -1;
    this.#ask();
  }

  /** Sends again what was sent last if no block has come since the call before this one. */
  sweep(): void {
    if (!this.#isBusy) return;
    if (this.blocks === this.#seen) {
      this.repeats += 1;
      if (this.#tid === 0) this.#ask();
      else this.#repeatAck();
    }
    this.#seen = this.blocks;
  }

  /** Tells the server that nobody reads on. */
  stop(): void {
    if (this.#isBusy && this.#tid !== 0) this.#say(goodbye, this.#tid);
    this.#isBusy = false;
  }

  /** Takes the datagram in that slot of the wire's batch. */
  onMessage(slot: number): void {
    const data = this.#wire.batch.data(slot);
    if (data[1] === Opcode.error) this.errors += 1;
    else if (!this.#isBusy) return;
    else if (data[1] === Opcode.oack) this.#onOack(slot);
    else if (data[1] === Opcode.data) this.#onData(slot, ((data[2] ?? 0) << 8) | (data[3] ?? 0));
  }

  #onOack(slot: number): void {
    if (this.#tid !== 0) return;
    this.#pin(slot);
    this.#acknowledge(slot);
  }

  /** From now on there is only this server. A client of many short files spares itself the system call. */
  #pin(slot: number): void {
    this.#tid = this.#wire.batch.peers.port(slot);
    if (this.#file.kind !== 'endless') return;
    this.#from.port.connect({ address: this.#target.address, port: this.#tid });
    this.#isConnected = true;
  }

  #onData(slot: number, block: number): void {
    if (this.#tid === 0) this.#pin(slot);
    if (this.#wire.batch.peers.port(slot) !== this.#tid) return;
    if (block !== this.#next) {
      // What lies behind is a copy.
      if (((block - this.#next) & 0xffff) < 0x8000) this.#onGap(slot);
      return;
    }
    this.blocks += 1;
    this.#next = (block + 1) & 0xffff;
    this.#isGapTold = false;
    this.#unacknowledged += 1;
    if (this.#file.kind === 'held') {
      this.#end();
      return;
    }
    const isLast = this.#wire.batch.length(slot) < fullLength;
    if (isLast || this.#unacknowledged === this.#windowsize) this.#acknowledge(slot);
    if (isLast) this.#end();
  }

  #end(): void {
    this.#isBusy = false;
    this.#onEnd?.();
  }

  /** A block is missing: the server goes back to it, and is told so once (RFC 7440 section 4). */
  #onGap(slot: number): void {
    if (this.#isGapTold) return;
    this.#isGapTold = true;
    this.repeats += 1;
    this.#acknowledge(slot);
  }

  /** All blocks in front of the next one, where the slot's datagram has come from. */
  #acknowledge(slot: number): void {
    const { batch } = this.#wire;
    this.#unacknowledged = 0;
    writeAck(batch.data(slot), this.#next - 1);
    batch.setLength(slot, ackLength);
    this.#send(batch, slot);
  }

  #ask(): void {
    this.#say(this.#request, this.#target.port);
  }

  #repeatAck(): void {
    this.#unacknowledged = 0;
    const ack = encodeAck(0);
    writeAck(ack, this.#next - 1);
    this.#say(ack, this.#tid);
  }

  #say(packet: Uint8Array, port: number): void {
    const { outgoing } = this.#wire;
    outgoing.write(0, packet);
    outgoing.peers.set4(0, this.#address, port);
    outgoing.locals.clear(0);
    this.#send(outgoing, 0);
  }

  #send(batch: Wire['batch'], slot: number): void {
    const { port, source } = this.#from;
    // With an address, the system would look for the way again.
    if (this.#isConnected) batch.peers.clear(slot);
    if (source !== undefined) batch.locals.send4(slot, source);
    port.send(batch, slot, 1);
  }
}

function writeAck(packet: Uint8Array, block: number): void {
  packet[0] = 0;
  packet[1] = Opcode.ack;
  packet[2] = (block >> 8) & 0xff;
  packet[3] = block & 0xff;
}

/** A file of one block is asked for without options. */
function requestFor(file: File): Uint8Array {
  if (file.kind === 'blocks' && file.blocks === 1) return encodeRequest(Opcode.rrq, oneBlockFile, 'octet');
  const isWindowed = file.kind === 'endless' && file.windowsize > 1;
  const name = file.kind === 'blocks' ? fileOf(file.blocks) : endlessFile;
  return encodeRequest(Opcode.rrq, name, 'octet', {
    blksize: String(blockSize),
    ...(isWindowed && { windowsize: String(file.windowsize) }),
  });
}
