/**
 * One transfer of a client, over a host that it is given. The server's TID is pinned with its first reply (RFC 1350
 * section 4); a packet from anywhere else is answered with ERROR 5 and changes nothing.
 */
import type { RetryRule } from './backoff.ts';
import { ClientMachine, type ClientPlan } from './client-machine.ts';
import { TransferError } from './errors.ts';
import { Exchange } from './exchange.ts';
import type { Host, HostEndpoint, HostError, HostTidHandlers, HostTidSocket } from './host.ts';
import type { Counts, Machine } from './machine.ts';
import { checkAsked, optionPairs, receiveBufferFor, shapeOf, type TftpOptions } from './negotiation.ts';
import { encodeError, encodeRequest, ErrorCode, Opcode, transferOpcodeOf } from './packet.ts';
import type { TftpRequest } from './request.ts';
import type { Trace } from './trace.ts';

export interface TransferRequest {
  /** The server's address and request port; numeric, in the form in which the host names senders. */
  readonly server: HostEndpoint;
  /** One character a byte (latin1), without a NUL. */
  readonly file: string;
  readonly mode: TftpRequest['mode'];
  /** Options to ask for; a reader asks for `tsize` with 0 (RFC 2349). */
  readonly options: TftpOptions;
  readonly retry: RetryRule;
  /** Milliseconds for which a reader answers repeats of the last block after its end. */
  readonly dally: number;
  /** Ends the transfer, or the dallying after it. */
  readonly signal?: AbortSignal;
  /** Called for each packet, also for those of strangers. `packet` must not be kept. */
  readonly trace?: Trace;
  /** Called once the server has answered. */
  readonly onGranted?: (granted: TftpOptions) => void;
}

export interface TransferReport extends Counts {
  readonly granted: TftpOptions;
  /** The server's TID. */
  readonly peer: HostEndpoint;
  /** Settles when dallying is over and the socket is closed. */
  readonly closed: Promise<void>;
}

/** Makes the machine that moves the file, once the server has answered. */
export type Begin = (
  granted: TftpOptions,
  opening: Uint8Array | undefined,
  send: (packet: Uint8Array) => void,
) => Machine;

export class ClientTransfer {
  readonly #request: TransferRequest;
  readonly #machine: ClientMachine;
  readonly #exchange: Exchange;
  readonly #socket: HostTidSocket;
  readonly #report = Promise.withResolvers<TransferReport>();
  readonly #closed = Promise.withResolvers<void>();
  readonly #onAbort = (): void => this.#exchange.abort(abortError(this.#request.signal));
  /** The server's TID, once it has answered. */
  #pinned: HostEndpoint | undefined;
  #socketError: HostError | undefined;

  constructor(host: Host, request: TransferRequest, operation: 'read' | 'write', begin: Begin) {
    checkAsked(request.options);
    if (request.signal?.aborted === true) throw abortError(request.signal);
    this.#request = request;
    this.#machine = new ClientMachine(this.#plan(operation, begin));
    this.#exchange = new Exchange({
      clock: host,
      machine: this.#machine,
      send: (packet) => this.#send(packet),
      dally: request.dally,
      onEnd: (error) => this.#onEnd(error),
      onClosed: () => this.#onClosed(),
    });
    const handlers: HostTidHandlers = {
      onDatagram: (data, port, address) => this.#onDatagram(data, port, address),
      onRefused: () => this.#onRefused(),
      onError: (error) => this.#onError(error),
    };
    // The window that is asked for: the one that is granted is no larger.
    const receiveBuffer = operation === 'read' ? receiveBufferFor(shapeOf(request.options)) : undefined;
    this.#socket = host.openTid(request.server, handlers, receiveBuffer);
    request.signal?.addEventListener('abort', this.#onAbort);
    this.#exchange.start();
  }

  get report(): Promise<TransferReport> {
    return this.#report.promise;
  }

  wake(): void {
    this.#exchange.wake();
  }

  #plan(operation: 'read' | 'write', begin: Begin): ClientPlan {
    const { file, mode, options, retry, onGranted } = this.#request;
    const opcode = operation === 'read' ? Opcode.rrq : Opcode.wrq;
    return {
      operation,
      request: encodeRequest(opcode, file, mode, optionPairs(options)),
      asked: options,
      retry,
      send: (packet) => this.#send(packet),
      begin: (granted, opening) => {
        onGranted?.(granted);
        return begin(granted, opening, (packet) => this.#send(packet));
      },
    };
  }

  #send(packet: Uint8Array): void {
    const isError = packet[1] === Opcode.error;
    // Before the first reply there is no TID that an ERROR could go to.
    if (isError && this.#pinned === undefined) return;
    this.#sendTo(packet, this.#pinned ?? this.#request.server);
  }

  #sendTo(packet: Uint8Array, peer: HostEndpoint): void {
    this.#request.trace?.('sent', packet, peer);
    this.#socket.send(packet, peer.port, peer.address);
  }

  #onDatagram(data: Uint8Array, port: number, address: string): void {
    this.#request.trace?.('received', data, { address, port });
    if (this.#pinned === undefined) {
      if (address !== this.#request.server.address || !this.#isReply(data)) return;
      this.#pinned = { address, port };
      this.#socket.pinned(port);
    }
    if (port === this.#pinned.port && address === this.#pinned.address) this.#exchange.onPacket(data);
    else this.#onStranger(data, { address, port });
  }

  #isReply(data: Uint8Array): boolean {
    return transferOpcodeOf(data) !== 0 && this.#machine.isReply(data);
  }

  /** An ERROR is never answered with an ERROR. */
  #onStranger(data: Uint8Array, stranger: HostEndpoint): void {
    const opcode = transferOpcodeOf(data);
    if (opcode === 0 || opcode === Opcode.error) return;
    this.#sendTo(encodeError(ErrorCode.unknownTid, 'unknown transfer ID'), stranger);
  }

  #onRefused(): void {
    const { server } = this.#request;
    // A refusal that comes late is about the request port, and tells nothing of a server that answers from another.
    if (this.#pinned !== undefined && this.#pinned.port !== server.port) return;
    this.#exchange.drop(new TransferError('TLB_ERR_TFTP_REFUSED', 'nobody listens on the port'));
  }

  /** Once the server has answered, a datagram that could not be sent is as good as lost: the timer repeats it. */
  #onError(error: HostError): void {
    this.#socketError = error;
    if (error.closed || this.#pinned === undefined) this.#exchange.drop(socketError(error));
  }

  #onEnd(error: Error | undefined): void {
    if (error !== undefined) {
      this.#report.reject(withCause(error, this.#socketError));
      return;
    }
    this.#report.resolve({
      ...this.#machine.counts,
      granted: this.#machine.granted,
      peer: this.#pinned ?? this.#request.server,
      closed: this.#closed.promise,
    });
  }

  #onClosed(): void {
    this.#request.signal?.removeEventListener('abort', this.#onAbort);
    this.#socket.close();
    this.#closed.resolve();
  }
}

function abortError(signal: AbortSignal | undefined): TransferError {
  return new TransferError('TLB_ERR_TFTP_ABORTED', 'the transfer was aborted', { cause: signal?.reason });
}

function socketError(cause: Error): TransferError {
  return new TransferError('TLB_ERR_TFTP_SOCKET', cause.message, { cause });
}

/** Silence has a reason where datagrams could not even be sent. */
function withCause(error: Error, cause: HostError | undefined): Error {
  if (!(error instanceof TransferError) || error.code !== 'TLB_ERR_TFTP_TIMEOUT' || cause === undefined)
    return error;
  return new TransferError(error.code, `${error.message} (${cause.message})`, { cause });
}
