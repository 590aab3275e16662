import { type Clock, type Endpoint, NetError } from '../net/net.ts';
import type { TcpNet, TcpSocket } from '../net/tcp.ts';
import type { ProbeOutcome } from '../observe/events.ts';
import type { Probe } from './probe.ts';
import { outcomeOfNetError, outcomeWithin, type ProbeRun } from './probe-run.ts';

export interface TcpProbeOptions {
  /** Undefined is the port that the backend serves at. */
  readonly port: number | undefined;
  /** Milliseconds for the connection. */
  readonly timeout: number;
}

/** Takes a backend that accepts a TCP connection for alive. Nothing is sent, and nothing is read. */
export class TcpProbe implements Probe {
  readonly #net: TcpNet & Clock;
  readonly #options: TcpProbeOptions;

  constructor(net: TcpNet & Clock, options: TcpProbeOptions) {
    this.#net = net;
    this.#options = options;
  }

  check({ address, port }: Endpoint, signal: AbortSignal): Promise<ProbeOutcome> {
    const { timeout } = this.#options;
    const run = new Connecting(this.#net, { address, port: this.#options.port ?? port }, timeout);
    return outcomeWithin(this.#net, timeout, run, signal);
  }
}

class Connecting implements ProbeRun {
  readonly #net: TcpNet;
  readonly #to: Endpoint;
  readonly #timeout: number;
  readonly #stop = new AbortController();
  #socket: TcpSocket | undefined;

  constructor(net: TcpNet, to: Endpoint, timeout: number) {
    this.#net = net;
    this.#to = to;
    this.#timeout = timeout;
  }

  async outcome(): Promise<ProbeOutcome> {
    const { signal } = this.#stop;
    try {
      this.#socket = await this.#net.connectTcp(this.#to, { timeout: this.#timeout, signal });
      if (signal.aborted) this.#socket.reset();
      return 'alive';
    } catch (error) {
      return error instanceof NetError ? outcomeOfNetError(error) : 'failed';
    }
  }

  close(): void {
    this.#stop.abort();
    this.#socket?.release();
  }
}
