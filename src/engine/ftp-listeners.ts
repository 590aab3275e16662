import { type Endpoint, formatEndpoint, type Net, NetError, type Timer } from '../net/net.ts';
import type { ListenHandlers, TcpListener, TcpSocket } from '../net/tcp.ts';
import type { Emit } from '../observe/events.ts';
import type { ListenerSpec } from './snapshot.ts';

/** Milliseconds between two attempts to get back a listener that has failed. */
const retryInterval = 5_000;

export interface FtpListenersParts {
  readonly net: Net;
  readonly service: string;
  readonly emit: Emit;
  readonly onConnection: (socket: TcpSocket, listener: ListenerSpec) => void;
  /** What a connection is told for which there is no descriptor. */
  readonly farewell: Uint8Array;
  /** A connection was lost before it could be accepted. */
  readonly onLost: (listener: Endpoint) => void;
}

/**
 * The listening sockets of one FTP service. An unspecified address needs no expanding as it does with UDP: each
 * connection knows the address that it reached.
 */
export class FtpListeners {
  readonly #parts: FtpListenersParts;
  readonly #open = new Set<TcpListener>();
  readonly #retries = new Set<Timer>();
  #isClosed = false;

  constructor(parts: FtpListenersParts) {
    this.#parts = parts;
  }

  get endpoints(): readonly Endpoint[] {
    return [...this.#open].map(({ address, port }) => ({ address, port }));
  }

  /** Rejects with NetError if one of them cannot be had; the others may be open then. */
  async open(specs: readonly ListenerSpec[]): Promise<void> {
    for (const spec of specs) {
      if (!this.#isClosed) await this.#listen(spec);
    }
  }

  close(): void {
    this.#isClosed = true;
    for (const timer of this.#retries) timer.cancel();
    for (const listener of this.#open) this.#remove(listener);
  }

  async #listen(spec: ListenerSpec): Promise<void> {
    const { net, onConnection, farewell, onLost } = this.#parts;
    const { address, port, isShared: reusePort = false } = spec;
    const handlers: ListenHandlers = {
      onConnection: (socket) => onConnection(socket, spec),
      // Within TLS it could not be read.
      ...(!spec.isImplicit && { farewell }),
      onError: (error) => {
        if (error.closed) this.#onFailed(listener, spec, error);
        else onLost(listener);
      },
    };
    const listener: TcpListener = await net.listenTcp({ address, port, reusePort }, handlers);
    if (this.#isClosed) {
      listener.close();
      return;
    }
    this.#open.add(listener);
    this.#parts.emit({ kind: 'listener.up', ...this.#nameOf(listener) });
  }

  #onFailed(listener: TcpListener, spec: ListenerSpec, error: NetError): void {
    this.#remove(listener, error.message);
    this.#retryLater(spec);
  }

  #retryLater(spec: ListenerSpec): void {
    const timer = this.#parts.net.setTimer(retryInterval, () => {
      this.#retries.delete(timer);
      void this.#retry(spec);
    });
    this.#retries.add(timer);
  }

  async #retry(spec: ListenerSpec): Promise<void> {
    try {
      await this.#listen(spec);
    } catch (error) {
      if (!(error instanceof NetError)) throw error;
      if (!this.#isClosed) this.#retryLater(spec);
    }
  }

  #remove(listener: TcpListener, error?: string): void {
    listener.close();
    if (!this.#open.delete(listener)) return;
    this.#parts.emit({
      kind: 'listener.down',
      ...this.#nameOf(listener),
      ...(error !== undefined && { error }),
    });
  }

  #nameOf({ address, port }: Endpoint): { service: string; listener: string } {
    return { service: this.#parts.service, listener: formatEndpoint(address, port) };
  }
}
