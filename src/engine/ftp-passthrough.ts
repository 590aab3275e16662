/**
 * A control connection that is carried unread: whatever its bytes mean, TLS included, is between client and backend.
 *
 *   connecting ──connected──▶ open ──one side ends──▶ ending ──the other one, too, or time──▶ over
 *       │ nobody                └──reset──▶ over: the other side is reset
 *       └──▶ over
 *
 * Data connections never come here: clients reach the backends' own ports.
 */
import type { FtpSessionEnd as Ended, NoBackend } from '../ftp/effects.ts';
import { encodeAnswer } from '../ftp/replies.ts';
import { type Endpoint, formatEndpoint, type Timer } from '../net/net.ts';
import type { TcpEnd, TcpHandlers, TcpSocket } from '../net/tcp.ts';
import type { FtpSessionHost, ServiceSession } from './ftp-session-host.ts';
import { unreadEvent } from './ftp-summary.ts';
import { FtpTries, type FtpTriesOwner } from './ftp-tries.ts';

/** Milliseconds for one side to end once the other has. */
const patience = 10_000;
const farewell = encodeAnswer({ code: 421, text: 'Service not available, closing control connection.' });

/** Whose connection it is. */
export interface PassedClient {
  readonly socket: TcpSocket;
  /** What the client has connected to. */
  readonly vip: Endpoint;
  /** Whether it would take what we say in clear for a fault of TLS. */
  readonly isImplicit: boolean;
}

export class FtpPassthrough implements ServiceSession, FtpTriesOwner {
  readonly #host: FtpSessionHost;
  readonly #client: PassedClient;
  readonly #tries: FtpTries;
  readonly #startedAt: number;
  #asked = 0;
  #backend: TcpSocket | undefined;
  #closed = 0;
  #timer: Timer | undefined;
  #isOver = false;

  constructor(host: FtpSessionHost, client: PassedClient) {
    this.#host = host;
    this.#client = client;
    this.#startedAt = host.net.now();
    this.#tries = new FtpTries(host, this, { client: client.socket.remote, vip: client.vip }, false);
  }

  get clientAddress(): string {
    return this.#client.socket.remote.address;
  }

  start(): void {
    this.#tries.start();
    this.onUnavailable();
  }

  /** Nobody can tell whether it is idle. */
  drain(): void {}

  shutdown(): void {
    this.#break('shutdown');
  }

  onUnavailable(): void {
    this.#asked += 1;
    void this.#tries.connect('');
  }

  onConnected(backend: TcpSocket): void {
    const { socket: client } = this.#client;
    this.#tries.found();
    this.#backend = backend;
    client.handle(this.#handlers(backend, 'client'));
    backend.handle(this.#handlers(client, 'backend'));
  }

  onNobody(reason: NoBackend): void {
    const { socket, isImplicit } = this.#client;
    this.#asked -= 1;
    if (isImplicit) socket.reset();
    else {
      socket.write(farewell);
      this.#host.departures.add(socket);
    }
    this.#end(reason);
  }

  /** Only where backends depend on users, which nobody sees here. */
  onUnknownUser(): void {}

  #handlers(other: TcpSocket, side: 'client' | 'backend'): TcpHandlers {
    const own = side === 'client' ? this.#client.socket : this.#backend;
    return {
      borrows: true,
      onData: (data) => {
        if (!other.write(data)) own?.pause();
      },
      onEnd: () => {
        other.end();
        this.#timer ??= this.#host.net.setTimer(patience, () => this.#break(`${side}-closed`));
      },
      onDrain: () => other.resume(),
      onClose: (end) => this.#onClose(end, side),
    };
  }

  #onClose(end: TcpEnd, side: 'client' | 'backend'): void {
    this.#closed += 1;
    if (end !== 'clean') this.#break(`${side}-reset`);
    else if (this.#closed === 2) this.#end(`${side}-closed`);
  }

  #break(end: Ended): void {
    if (this.#isOver) return;
    this.#client.socket.reset();
    this.#backend?.reset();
    this.#end(end);
  }

  #end(end: Ended): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#timer?.cancel();
    this.#tries.end();
    const { socket, vip } = this.#client;
    const whose = {
      service: this.#host.service.name,
      client: formatEndpoint(socket.remote.address, socket.remote.port),
      vip: formatEndpoint(vip.address, vip.port),
      backend: this.#tries.backend?.name ?? '',
    };
    const duration = this.#host.net.now() - this.#startedAt;
    this.#host.emit(unreadEvent(whose, { end, tries: this.#asked, duration }));
    this.#host.onEnded(this);
  }
}
