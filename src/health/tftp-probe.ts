/**
 * Asks a TFTP server for a file. The file need not exist: whoever answers as TFTP has it, ERROR 1 included, lives. A
 * transfer that begins is ended at once, so that the server does not repeat into the void.
 */
import {
  type Endpoint,
  type Net,
  NetError,
  type TidHandlers,
  type TidSocket,
  type Timer,
} from '../net/net.ts';
import type { ProbeOutcome } from '../observe/events.ts';
import { blockOf, encodeError, encodeRequest, ErrorCode, Opcode, transferOpcodeOf } from '../tftp/packet.ts';
import type { Probe } from './probe.ts';

export interface TftpProbeOptions {
  /** One character a byte (latin1). */
  readonly file: string;
  /** Milliseconds that the backend has for its answer. */
  readonly timeout: number;
}

const goodbye = encodeError(ErrorCode.notDefined, 'health check, thank you');

export class TftpProbe implements Probe {
  readonly #net: Net;
  readonly #request: Uint8Array;
  readonly #timeout: number;

  /** Throws RangeError if the file's name has a NUL. */
  constructor(net: Net, { file, timeout }: TftpProbeOptions) {
    this.#net = net;
    this.#request = encodeRequest(Opcode.rrq, file, 'octet');
    this.#timeout = timeout;
  }

  async check(address: Endpoint, signal: AbortSignal): Promise<ProbeOutcome> {
    signal.throwIfAborted();
    const run = new ProbeRun(address);
    const onAbort = (): void => run.abort(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      run.start(this.#net, this.#request, this.#timeout);
      return await run.outcome;
    } finally {
      signal.removeEventListener('abort', onAbort);
      run.close();
    }
  }
}

class ProbeRun implements TidHandlers {
  readonly #backend: Endpoint;
  readonly #end = Promise.withResolvers<ProbeOutcome>();
  #socket: TidSocket | undefined;
  #timer: Timer | undefined;
  /** What it means if nothing better comes. A stray datagram does not keep a living backend from answering. */
  #otherwise: ProbeOutcome = 'timeout';

  constructor(backend: Endpoint) {
    this.#backend = backend;
  }

  get outcome(): Promise<ProbeOutcome> {
    return this.#end.promise;
  }

  start(net: Net, request: Uint8Array, timeout: number): void {
    try {
      this.#socket = net.openTid(this.#backend, this);
    } catch (error) {
      if (!(error instanceof NetError)) throw error;
      this.onError(error);
      return;
    }
    this.#timer = net.setTimer(timeout, () => this.#end.resolve(this.#otherwise));
    this.#socket.send(request, this.#backend.port, this.#backend.address);
  }

  onDatagram(data: Uint8Array, port: number, address: string): void {
    if (address !== this.#backend.address) return;
    if (!isFirstReply(data)) {
      this.#otherwise = 'malformed';
      return;
    }
    if (transferOpcodeOf(data) !== Opcode.error) this.#socket?.send(goodbye, port, address);
    this.#end.resolve('alive');
  }

  onRefused(): void {
    this.#end.resolve('refused');
  }

  /** A network without a way to the backend refuses in its name; every other error is our own. */
  onError(error: NetError): void {
    this.#end.resolve(error.code === 'TLB_ERR_UNREACHABLE' ? 'refused' : 'failed');
  }

  abort(reason: unknown): void {
    this.#end.reject(reason);
  }

  close(): void {
    this.#timer?.cancel();
    this.#socket?.close();
  }
}

/** What RFC 1350 section 4 and RFC 2347 let a server answer to a read request. */
function isFirstReply(packet: Uint8Array): boolean {
  const opcode = transferOpcodeOf(packet);
  if (opcode === Opcode.data) return blockOf(packet) === 1;
  return opcode === Opcode.oack || opcode === Opcode.error;
}
