import type { CloseHow } from '../ftp/effects.ts';
import type { Clock, Endpoint, NetError, Timer } from '../net/net.ts';
import type { TcpEnd, TcpHandlers, TcpSocket } from '../net/tcp.ts';
import type { TlsFacts, TlsSession } from '../net/tls.ts';
import type { Departures } from './departures.ts';
import type { FtpSessionHost } from './ftp-session-host.ts';

/** What a leg tells the session that it belongs to. Nothing is told once the leg is closed. */
export interface ControlLegOwner {
  onBytes(bytes: Uint8Array): void;
  /** The peer sent its FIN. */
  onEnd(): void;
  /** `error` says why, where there is more to it than a reset. */
  onReset(error: NetError | undefined): void;
  onDrain(): void;
  onSecure(facts: TlsFacts): void;
}

/** Bytes that may wait for a slow reader before no more is wanted for it. */
const enough = 16_384;
/** Bytes that may wait beside two of the longest replies that are let through: answers of our own. */
const besides = 524_288;
/** Milliseconds for which a peer may refuse to read what waits for it. */
const patience = 60_000;

/** One control connection, the client's or the backend's. A peer that does not read costs bounded memory and time. */
export class ControlLeg implements TcpHandlers {
  #socket: TcpSocket;
  readonly #owner: ControlLegOwner;
  readonly #clock: Clock;
  readonly #departures: Departures;
  /** Bytes that may wait at all. */
  readonly #most: number;
  #slowTimer: Timer | undefined;
  #isClosed = false;

  constructor({ net, departures, service }: FtpSessionHost, socket: TcpSocket, owner: ControlLegOwner) {
    this.#clock = net;
    this.#departures = departures;
    this.#most = 2 * service.commands.caps.replyBytes + besides;
    this.#socket = socket;
    this.#owner = owner;
    socket.handle(this);
  }

  get local(): Endpoint {
    return this.#socket.local;
  }

  get remote(): Endpoint {
    return this.#socket.remote;
  }

  /** False: no more is wanted until `onDrain`. */
  write(bytes: Uint8Array): boolean {
    if (this.#isClosed || this.#socket.write(bytes)) return true;
    if (this.#socket.pending > this.#most) this.#socket.reset();
    this.#slowTimer ??= this.#clock.setTimer(patience, () => this.#socket.reset());
    return this.#socket.pending <= enough;
  }

  /** All that was not read yet, and all that is written from now on, is within TLS. */
  secure(session: TlsSession): void {
    if (this.#isClosed) return;
    const onSecure = (facts: TlsFacts): void => {
      // What was written before has gone, and nobody else will say so.
      this.onDrain();
      if (!this.#isClosed) this.#owner.onSecure(facts);
    };
    this.#socket = session.secure(this.#socket, { channel: 'control', eof: 'lenient', onSecure });
    this.#socket.handle(this);
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  /** Idempotent. */
  close(how: CloseHow): void {
    if (this.#isClosed) return;
    this.#over();
    if (how === 'fin') this.#departures.add(this.#socket);
    else this.#socket.reset();
  }

  onData(data: Uint8Array): void {
    if (!this.#isClosed) this.#owner.onBytes(data);
  }

  onEnd(): void {
    if (!this.#isClosed) this.#owner.onEnd();
  }

  onDrain(): void {
    this.#slowTimer?.cancel();
    this.#slowTimer = undefined;
    if (!this.#isClosed) this.#owner.onDrain();
  }

  /** A connection that we have not closed was reset, by its peer or because the peer did not read. */
  onClose(_: TcpEnd, error?: NetError): void {
    if (this.#isClosed) return;
    this.#over();
    this.#owner.onReset(error);
  }

  #over(): void {
    this.#isClosed = true;
    this.#slowTimer?.cancel();
  }
}
