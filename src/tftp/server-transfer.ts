import type { RetryRule } from './backoff.ts';
import { sameBytes } from './bytes.ts';
import { TransferError } from './errors.ts';
import { Exchange } from './exchange.ts';
import type { HostClock, HostEndpoint } from './host.ts';
import type { Counts, Machine } from './machine.ts';
import { Opcode } from './packet.ts';
import type { TftpRequest } from './request.ts';
import type { Job } from './server-job.ts';
import type { Connect, WireHandlers } from './server-wire.ts';
import { receiveBufferFor, shapeOf, type TftpOptions } from './negotiation.ts';

/** What a server tells of a transfer once it is over. */
export interface ServedTransfer extends Counts {
  readonly client: HostEndpoint;
  readonly operation: 'read' | 'write';
  /** As it came on the wire, one character a byte. */
  readonly file: string;
  readonly granted: TftpOptions;
  /** Undefined if the transfer is complete. */
  readonly error: Error | undefined;
}

export interface ServerTransferParts {
  readonly clock: HostClock;
  readonly client: HostEndpoint;
  readonly request: TftpRequest;
  /** The request as it came. Kept. */
  readonly packet: Uint8Array;
  readonly job: Job;
  readonly retry: RetryRule;
  /** Milliseconds for which the last ACK of an upload is repeated on demand. */
  readonly dally: number | undefined;
  readonly connect: Connect;
  readonly onEnd: (transfer: ServedTransfer) => void;
  readonly onClosed: () => void;
}

/** A writer that misses the last ACK and doubles its waits repeats its last block three times in as many timeouts. */
const dallyTimeouts = 8;

/** How long after a client's last packet its request may still be such a copy. Milliseconds. */
const maxLateness = 1000;

/** One transfer of an embedded server, from the answer to the request until nothing is sent any more. */
export class ServerTransfer {
  readonly #parts: ServerTransferParts;
  readonly #machine: Machine;
  readonly #exchange: Exchange;
  /** When the client last spoke to its TID. */
  #heardAt: number | undefined;

  /** Throws what `connect` throws. */
  constructor(parts: ServerTransferParts) {
    const { clock, request, job, dally, connect, onClosed } = parts;
    const retry = retryOf(parts);
    const isUpload = request.opcode === Opcode.wrq;
    const handlers: WireHandlers = {
      onPacket: (packet) => this.onPacket(packet),
      onLost: (error) => this.drop(new TransferError('TLB_ERR_TFTP_SOCKET', error.message, { cause: error })),
    };
    const wire = connect(handlers, isUpload ? receiveBufferFor(shapeOf(job.granted)) : undefined);
    const send = (packet: Uint8Array): void => wire.send(packet);
    this.#parts = parts;
    this.#machine = job.createMachine(retry, send);
    this.#exchange = new Exchange({
      clock,
      machine: this.#machine,
      send,
      dally: isUpload ? (dally ?? dallyTimeouts * retry.timeout) : 0,
      onEnd: (error) => this.#onEnd(error),
      onClosed: () => {
        wire.close();
        onClosed();
      },
    });
  }

  start(): void {
    this.#exchange.start();
  }

  /**
   * Whether `packet` is the request that this transfer answers already: repeated because the answer has not arrived, or
   * a copy that the network has delayed.
   */
  isRepeat(packet: Uint8Array): boolean {
    const isLate = this.#heardAt === undefined || this.#parts.clock.now() - this.#heardAt < maxLateness;
    return isLate && sameBytes(packet, this.#parts.packet);
  }

  onPacket(packet: Uint8Array): void {
    this.#heardAt = this.#parts.clock.now();
    this.#exchange.onPacket(packet);
  }

  /** The server stops. */
  abort(): void {
    this.#exchange.abort(new TransferError('TLB_ERR_TFTP_ABORTED', 'the server stops'));
  }

  /** The client has moved on, or the socket is gone: it is told nothing. */
  drop(cause: TransferError): void {
    this.#exchange.drop(cause);
  }

  #onEnd(error: Error | undefined): void {
    const { client, request, job, onEnd } = this.#parts;
    job.release(error !== undefined);
    const operation = request.opcode === Opcode.rrq ? 'read' : 'write';
    onEnd({ ...this.#machine.counts, client, operation, file: request.file, granted: job.granted, error });
  }
}

/** A timeout that was granted is what the client expects of us (RFC 2349). */
function retryOf({ job, retry }: ServerTransferParts): RetryRule {
  const { timeout } = job.granted;
  return timeout === undefined ? retry : { ...retry, timeout: timeout * 1000 };
}
