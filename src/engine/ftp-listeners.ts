import { type Endpoint, formatEndpoint, type Net, NetError, type Timer } from '../net/net.ts';
import type { ListenHandlers, TcpListener, TcpSocket } from '../net/tcp.ts';
import type { Emit } from '../observe/events.ts';
import type { ListenerSpec } from './snapshot.ts';

/** Milliseconds between two attempts to get a listener that cannot be had, or back one that has failed. */
const retryInterval = 5_000;

export interface FtpListenersParts {
  readonly net: Net;
  readonly service: string;
  readonly emit: Emit;
  readonly onConnection: (socket: TcpSocket) => void;
  /** What a connection is told for which there is no descriptor. */
  readonly farewell: Uint8Array;
  /** A connection was lost before it could be accepted. */
  readonly onLost: (listener: Endpoint) => void;
}

/** Where is to be listened. */
interface Place {
  readonly spec: ListenerSpec;
  /** Undefined while it cannot be had. */
  listener: TcpListener | undefined;
  retry: Timer | undefined;
}

/**
 * The listening sockets of one FTP service. An unspecified address needs no expanding as it does with UDP: each
 * connection knows the address that it reached.
 */
export class FtpListeners {
  readonly #parts: FtpListenersParts;
  /** By `address:port` as wanted: with port 0 the system chooses another one. */
  readonly #places = new Map<string, Place>();
  #isClosed = false;

  constructor(parts: FtpListenersParts) {
    this.#parts = parts;
  }

  get endpoints(): readonly Endpoint[] {
    return [...this.#places.values()].flatMap(({ listener }) =>
      listener ? [{ address: listener.address, port: listener.port }] : [],
    );
  }

  /** Rejects with NetError if one of them cannot be had; the others may be open then. */
  async open(specs: readonly ListenerSpec[]): Promise<void> {
    for (const spec of specs) {
      if (!this.#isClosed) await this.#listen(this.#add(spec));
    }
  }

  /** Closes what is not among `specs`. */
  release(specs: readonly ListenerSpec[]): void {
    const wanted = new Set(specs.map(keyOf));
    for (const [key, place] of this.#places) {
      if (!wanted.has(key)) this.#remove(key, place);
    }
  }

  /** Opens what is new and closes what is gone. What cannot be had is told, and tried again. */
  async update(specs: readonly ListenerSpec[]): Promise<void> {
    this.release(specs);
    const added = specs.filter((spec) => !this.#isClosed && !this.#places.has(keyOf(spec)));
    await Promise.all(added.map((spec) => this.#tryFirst(this.#add(spec))));
  }

  close(): void {
    this.#isClosed = true;
    for (const [key, place] of this.#places) this.#remove(key, place);
  }

  #add(spec: ListenerSpec): Place {
    const place: Place = { spec, listener: undefined, retry: undefined };
    this.#places.set(keyOf(spec), place);
    return place;
  }

  async #listen(place: Place): Promise<void> {
    const { net, onConnection, farewell, onLost } = this.#parts;
    const { address, port, isShared: reusePort = false } = place.spec;
    const handlers: ListenHandlers = {
      onConnection,
      farewell,
      onError: (error) => {
        if (error.closed) this.#onFailed(place, error);
        else onLost(listener);
      },
    };
    const listener: TcpListener = await net.listenTcp({ address, port, reusePort }, handlers);
    if (!this.#isWanted(place)) {
      listener.close();
      return;
    }
    place.listener = listener;
    this.#parts.emit({ kind: 'listener.up', ...this.#nameOf(listener) });
  }

  #isWanted(place: Place): boolean {
    return this.#places.get(keyOf(place.spec)) === place;
  }

  async #tryFirst(place: Place): Promise<void> {
    try {
      await this.#listen(place);
    } catch (error) {
      if (!(error instanceof NetError)) throw error;
      if (!this.#isWanted(place)) return;
      this.#tellDown(place.spec, error.message);
      this.#retryLater(place);
    }
  }

  #onFailed(place: Place, error: NetError): void {
    const { listener } = place;
    if (!listener || !this.#isWanted(place)) return;
    this.#close(place, error.message);
    this.#retryLater(place);
  }

  #retryLater(place: Place): void {
    place.retry = this.#parts.net.setTimer(retryInterval, () => void this.#retry(place));
  }

  async #retry(place: Place): Promise<void> {
    try {
      await this.#listen(place);
    } catch (error) {
      if (!(error instanceof NetError)) throw error;
      if (this.#isWanted(place)) this.#retryLater(place);
    }
  }

  #remove(key: string, place: Place): void {
    this.#places.delete(key);
    place.retry?.cancel();
    this.#close(place);
  }

  #close(place: Place, error?: string): void {
    const { listener } = place;
    place.listener = undefined;
    listener?.close();
    if (listener) this.#tellDown(listener, error);
  }

  #tellDown(listener: Endpoint, error?: string): void {
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

function keyOf({ address, port }: ListenerSpec): string {
  return formatEndpoint(address, port);
}
