import type { Backend } from '../balance/pool.ts';
import type { GreetingFailure, NoBackend } from '../ftp/effects.ts';
import { type Endpoint, formatEndpoint, NetError } from '../net/net.ts';
import type { TcpSocket } from '../net/tcp.ts';
import type { FailoverReason } from '../observe/events.ts';
import type { FtpSessionHost } from './ftp-session-host.ts';
import { noRoute } from './routes.ts';
import type { Asking } from './service-backends.ts';
import { isShortage } from './tries.ts';

/** Who hears how it goes; never from within a call. */
export interface FtpTriesOwner {
  onConnected(socket: TcpSocket): void;
  /** The backend could not be reached; another one may be asked for. */
  onUnavailable(): void;
  /** There is none to ask, or this host has run out of ports or descriptors. */
  onNobody(reason: NoBackend): void;
}

/** The backends that one FTP session asks, one after the other. The one that was asked last counts the session. */
export class FtpTries {
  readonly #host: FtpSessionHost;
  readonly #owner: FtpTriesOwner;
  readonly #client: Endpoint;
  readonly #asking: Asking;
  /** Scoreboard indexes, in the order in which they were asked. */
  readonly #tried: number[] = [];
  #attempt: AbortController | undefined;
  #backend: Backend | undefined;
  /** Why the backend was given up. */
  #failure: FailoverReason | undefined;

  constructor(host: FtpSessionHost, owner: FtpTriesOwner, client: Endpoint) {
    this.#host = host;
    this.#owner = owner;
    this.#client = client;
    this.#asking = { client: client.address, file: '', user: '', route: noRoute };
  }

  /** The one that was asked last. */
  get backend(): Backend | undefined {
    return this.#backend;
  }

  /** Never rejects. */
  async connect(): Promise<void> {
    const attempt = new AbortController();
    this.#attempt = attempt;
    const backend = this.#next();
    const socket = backend && (await this.#reach(backend, attempt.signal));
    if (!backend) await Promise.resolve();
    if (attempt.signal.aborted) socket?.reset();
    else if (socket) this.#owner.onConnected(socket);
    else if (this.#failure === 'no-resources') this.#owner.onNobody('no-resources');
    else if (!backend) this.#owner.onNobody('no-backend');
    else this.#owner.onUnavailable();
  }

  /** Gives up an attempt that runs. Nothing is told of it. */
  cancel(): void {
    this.#attempt?.abort();
  }

  /** It was reached and did not greet as it should. */
  greetingFailed(reason: GreetingFailure): void {
    this.#giveUp(reason === 'silent' ? 'silent' : 'refused');
  }

  /** The session has ended: it counts nowhere any more. */
  end(): void {
    this.cancel();
    const { backends } = this.#host;
    backends.moveActive(this.#backend, undefined, this.#asking);
    if (this.#backend) backends.letGo(this.#backend);
  }

  #next(): Backend | undefined {
    const { backends } = this.#host;
    const next = backends.pick(this.#asking, this.#tried);
    if (!next) return undefined;
    const previous = this.#backend;
    backends.moveActive(previous, next, this.#asking);
    backends.hold(next);
    if (previous) backends.letGo(previous);
    if (previous && this.#failure) this.#emitFailover(previous, next, this.#failure);
    this.#tried.push(next.index);
    this.#backend = next;
    this.#failure = undefined;
    return next;
  }

  async #reach(backend: Backend, signal: AbortSignal): Promise<TcpSocket | undefined> {
    const { net, service } = this.#host;
    try {
      return await net.connectTcp(backend, { timeout: service.timing.connect, signal });
    } catch (error) {
      if (!signal.aborted) this.#onUnreachable(error);
      return undefined;
    }
  }

  #onUnreachable(error: unknown): void {
    const code = error instanceof NetError ? error.code : undefined;
    if (error instanceof NetError && isShortage(error)) this.#failure = 'no-resources';
    else this.#giveUp(code === 'TLB_ERR_TIMEOUT' ? 'silent' : 'refused');
  }

  #giveUp(reason: 'silent' | 'refused'): void {
    this.#failure = reason;
    if (this.#backend) this.#host.backends.suspect(this.#backend, reason);
  }

  #emitFailover(from: Backend, to: Backend, reason: FailoverReason): void {
    const { address, port } = this.#client;
    this.#host.emit({
      kind: 'session.failover',
      service: this.#host.service.name,
      client: formatEndpoint(address, port),
      from: from.name,
      to: to.name,
      reason,
    });
  }
}
