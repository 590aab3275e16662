/**
 * A small TFTP server for demonstrations, tests and benches. Each transfer is answered from a TID of its own
 * (RFC 1350 section 4), or all from the one port that requests go to (`singlePort`).
 */
import type { RetryRule } from './backoff.ts';
import { StoreError, TransferError } from './errors.ts';
import type { Host, HostEndpoint, HostSocket } from './host.ts';
import type { OptionLimits } from './negotiation.ts';
import {
  encodeError,
  ErrorCode,
  maxBlockSize,
  Opcode,
  opcodeOf,
  TftpProtocolError,
  transferOpcodeOf,
} from './packet.ts';
import { decodeRequest, type TftpRequest } from './request.ts';
import { type Job, openJob } from './server-job.ts';
import { type ServedTransfer, ServerTransfer } from './server-transfer.ts';
import { ownWire, sharedWire } from './server-wire.ts';
import type { Store } from './store.ts';
import type { Trace } from './trace.ts';

export interface ServerOptions {
  /** Where requests come in; port 0 lets the system choose. */
  readonly at: HostEndpoint;
  readonly store: Store;
  /** Answers from the port of the request. A client port has one transfer at a time then: the newest. */
  readonly singlePort?: boolean;
  /** Transfers at a time; more are refused with ERROR 0. */
  readonly maxTransfers?: number;
  readonly limits?: OptionLimits;
  readonly retry?: RetryRule;
  /** Milliseconds for which the last ACK of an upload is repeated on demand; eight retry timeouts if left out. */
  readonly dally?: number;
  /** Called for each packet. `packet` must not be kept. */
  readonly trace?: Trace;
  readonly onEnd?: (transfer: ServedTransfer) => void;
  /** The listening socket had an error; the server goes on if the error does not say `closed`. */
  readonly onError?: (error: Error) => void;
}

type Settings = ServerOptions & Required<Pick<ServerOptions, 'maxTransfers' | 'limits' | 'retry'>>;

const defaults = {
  maxTransfers: 256,
  limits: { maxBlksize: maxBlockSize, maxWindowsize: 64 },
  retry: { timeout: 1000, retries: 5 },
} as const;

/** Bytes: room for many requests at once, and on a single port for all that writers send. */
const listenBuffer = 1_048_576;

export class TftpServer {
  readonly #host: Host;
  readonly #options: Settings;
  readonly #socket: HostSocket;
  readonly #running = new Set<ServerTransfer>();
  /** Complete, and there for a writer that missed the last ACK. The oldest comes first. */
  readonly #dallying = new Set<ServerTransfer>();
  /** The newest transfer of each client port. */
  readonly #byClient = new Map<string, ServerTransfer>();

  /** Listens at once. Throws what the host throws where it cannot. */
  constructor(host: Host, options: ServerOptions) {
    this.#host = host;
    this.#options = { ...defaults, ...options };
    this.#socket = host.bindUdp(
      { ...options.at, receiveBuffer: listenBuffer },
      {
        onDatagram: (data, port, address) => this.#onDatagram(data, { address, port }),
        onError: (error) => options.onError?.(error),
      },
    );
  }

  get address(): string {
    return this.#socket.address;
  }

  get port(): number {
    return this.#socket.port;
  }

  get #isSinglePort(): boolean {
    return this.#options.singlePort === true;
  }

  /** Ends all transfers and stops listening. Idempotent. */
  close(): void {
    for (const transfer of [...this.#running, ...this.#dallying]) transfer.abort();
    this.#socket.close();
  }

  #onDatagram(data: Uint8Array, client: HostEndpoint): void {
    this.#options.trace?.('received', data, client);
    const opcode = opcodeOf(data);
    if (opcode === Opcode.rrq || opcode === Opcode.wrq) {
      this.#onRequest(data, client);
      return;
    }
    const transfer = this.#isSinglePort ? this.#byClient.get(keyOf(client)) : undefined;
    if (transfer !== undefined) transfer.onPacket(data);
    else if (transferOpcodeOf(data) === 0)
      this.#refuse(client, ErrorCode.illegalOperation, 'not a TFTP packet');
    else if (opcode !== Opcode.error) this.#refuse(client, ErrorCode.unknownTid, 'unknown transfer ID');
  }

  #onRequest(data: Uint8Array, client: HostEndpoint): void {
    const earlier = this.#byClient.get(keyOf(client));
    if (earlier?.isRepeat(data) === true) return;
    if (this.#isSinglePort) {
      earlier?.drop(new TransferError('TLB_ERR_TFTP_ABORTED', 'the client sent another request'));
    }
    try {
      this.#serve(data.slice(), client);
    } catch (error) {
      const isMeant = error instanceof TftpProtocolError || error instanceof StoreError;
      if (isMeant) this.#refuse(client, error.answer, error.message);
      else this.#refuse(client, ErrorCode.notDefined, 'the server cannot serve this now');
    }
  }

  #serve(packet: Uint8Array, client: HostEndpoint): void {
    const request = decodeRequest(packet);
    if (this.#running.size >= this.#options.maxTransfers) {
      throw new StoreError(ErrorCode.notDefined, 'too many transfers');
    }
    const job = openJob(request, this.#options.store, this.#options.limits);
    try {
      this.#begin(packet, client, request, job);
    } catch (error) {
      job.release(true);
      throw error;
    }
  }

  #begin(packet: Uint8Array, client: HostEndpoint, request: TftpRequest, job: Job): void {
    const { retry, dally, trace, onEnd } = this.#options;
    const transfer = new ServerTransfer({
      clock: this.#host,
      client,
      request,
      packet,
      job,
      retry,
      dally,
      connect: this.#isSinglePort
        ? sharedWire(this.#socket, client, trace)
        : ownWire(this.#host, this.#socket.address, client, trace),
      onEnd: (served) => {
        this.#dally(transfer);
        onEnd?.(served);
      },
      onClosed: () => this.#forget(transfer, client),
    });
    this.#running.add(transfer);
    this.#byClient.set(keyOf(client), transfer);
    transfer.start();
  }

  /** As many as may run may dally: beyond that, the oldest has waited the longest already. */
  #dally(transfer: ServerTransfer): void {
    this.#running.delete(transfer);
    this.#dallying.add(transfer);
    const [oldest] = this.#dallying;
    if (this.#dallying.size > this.#options.maxTransfers) oldest?.abort();
  }

  #forget(transfer: ServerTransfer, client: HostEndpoint): void {
    this.#dallying.delete(transfer);
    if (this.#byClient.get(keyOf(client)) === transfer) this.#byClient.delete(keyOf(client));
  }

  #refuse(client: HostEndpoint, code: number, message: string): void {
    const packet = encodeError(code, message);
    this.#options.trace?.('sent', packet, client);
    this.#socket.send(packet, client.port, client.address);
  }
}

function keyOf({ address, port }: HostEndpoint): string {
  return `${address} ${port}`;
}
