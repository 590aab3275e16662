/** Connections that a trusted proxy passes on: what it says of the client comes first, and the client knows nothing of it. */
import { type Clock, type Endpoint, NetError, type Timer } from './net.ts';
import { type ProxyHeader, ProxyHeaderReader } from './proxy-header.ts';
import type { TcpEnd, TcpHandlers, TcpSocket } from './tcp.ts';

export interface ProxyHandlers {
  /**
   * The connection as its client's own: `remote` is the client, and nothing of the header is read from it. `local`
   * stays what it is, an address of this host; `destination` is what the client connected to, where the proxy says.
   */
  onClient(socket: TcpSocket, destination: Endpoint | undefined): void;
  /**
   * There was no header that can be read, or none in time: TLB_ERR_PROXY_HEADER, TLB_ERR_TIMEOUT. The connection is
   * reset.
   */
  onFault(error: NetError): void;
  /** The proxy has given it up by itself, as proxies do that only look whether somebody listens. */
  onGone(): void;
}

/** Waits for the header of a proxy that is trusted, `timeout` milliseconds at most. */
export function readProxyHeader(
  socket: TcpSocket,
  clock: Clock,
  timeout: number,
  handlers: ProxyHandlers,
): void {
  const { address, port } = socket.remote;
  const timer = clock.setTimer(timeout, () => {
    const reason = `no PROXY protocol header from ${address} port ${port} within ${timeout} ms`;
    end(new NetError('TLB_ERR_TIMEOUT', reason));
  });
  const reader = new ProxyHeaderReader();
  const end = (error?: NetError): void => {
    timer.cancel();
    socket.handle(silence);
    socket.reset();
    if (error) handlers.onFault(error);
    else handlers.onGone();
  };
  socket.handle({
    onData: (data) => {
      const read = attempt(() => reader.read(data), end);
      if (read === undefined) return;
      timer.cancel();
      socket.pause();
      const { destination } = { destination: undefined, ...read.header };
      handlers.onClient(new ProxiedSocket(socket, clock, read.header, read.rest), destination);
    },
    onEnd: () => end(),
    onDrain: () => undefined,
    onClose: () => {
      timer.cancel();
      handlers.onGone();
    },
  });
}

const silence: TcpHandlers = {
  onData: () => undefined,
  onEnd: () => undefined,
  onDrain: () => undefined,
  onClose: () => undefined,
};

function attempt<T>(work: () => T, onFault: (error: NetError) => void): T | undefined {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof NetError)) throw error;
    onFault(error);
    return undefined;
  }
}

/** What came behind the header is told first; until then the connection beneath is paused. */
class ProxiedSocket implements TcpSocket, TcpHandlers {
  readonly local: Endpoint;
  readonly remote: Endpoint;
  readonly #socket: TcpSocket;
  readonly #clock: Clock;
  #rest: Uint8Array | undefined;
  #newsTimer: Timer | undefined;
  /** The connection is over, and nobody was there to be told. */
  #close: readonly [TcpEnd, NetError | undefined] | undefined;
  #handlers: TcpHandlers | undefined;
  #paused = false;

  /** `socket` is paused. */
  constructor(socket: TcpSocket, clock: Clock, header: ProxyHeader, rest: Uint8Array) {
    this.local = socket.local;
    this.remote = header.kind === 'proxied' ? header.source : socket.remote;
    this.#socket = socket;
    this.#clock = clock;
    this.#rest = rest.length > 0 ? rest : undefined;
    socket.handle(this);
  }

  get pending(): number {
    return this.#socket.pending;
  }

  get borrows(): boolean {
    return this.#handlers?.borrows === true;
  }

  handle(handlers: TcpHandlers): void {
    this.#handlers = handlers;
    this.#planNews();
  }

  write(data: Uint8Array): boolean {
    return this.#socket.write(data);
  }

  end(): void {
    this.#socket.end();
  }

  reset(): void {
    this.#forget();
    this.#socket.reset();
  }

  release(): void {
    this.#forget();
    this.#socket.release();
  }

  pause(): void {
    this.#paused = true;
    this.#socket.pause();
  }

  resume(): void {
    this.#paused = false;
    this.#planNews();
  }

  onData(data: Uint8Array): void {
    this.#handlers?.onData(data);
  }

  onEnd(): void {
    this.#handlers?.onEnd();
  }

  onDrain(): void {
    this.#handlers?.onDrain();
  }

  onClose(end: TcpEnd, error?: NetError): void {
    this.#forget();
    if (this.#handlers) this.#handlers.onClose(end, error);
    else this.#close = [end, error];
  }

  #forget(): void {
    this.#newsTimer?.cancel();
    this.#rest = undefined;
  }

  #planNews(): void {
    if (this.#handlers === undefined) return;
    if (this.#rest === undefined && this.#close === undefined) {
      if (!this.#paused) this.#socket.resume();
      return;
    }
    this.#newsTimer?.cancel();
    this.#newsTimer = this.#clock.setTimer(0, () => this.#tellNews());
  }

  #tellNews(): void {
    const [rest, close] = [this.#rest, this.#close];
    if (close) {
      this.#close = undefined;
      this.#handlers?.onClose(...close);
    } else if (rest && !this.#paused) {
      this.#rest = undefined;
      this.#handlers?.onData(rest);
      if (!this.#paused) this.#socket.resume();
    }
  }
}
