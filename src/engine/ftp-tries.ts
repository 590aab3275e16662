import type { Backend } from '../balance/pool.ts';
import type { GreetingFailure, NoBackend } from '../ftp/effects.ts';
import { type Endpoint, formatEndpoint, NetError } from '../net/net.ts';
import { encodeProxyHeader } from '../net/proxy-header.ts';
import type { TcpSocket } from '../net/tcp.ts';
import type { FailoverReason } from '../observe/events.ts';
import type { FtpSessionHost } from './ftp-session-host.ts';
import { noRoute } from './routes.ts';
import type { Asking } from './service-backends.ts';
import { isShortage } from './tries.ts';

/** Who hears how it goes; never from within a call. */
export interface FtpTriesOwner {
  onConnected(socket: TcpSocket): void;
  /** No backend is meant for the user, and none was asked. */
  onUnknownUser(): void;
  /** The backend could not be reached; another one may be asked for. */
  onUnavailable(): void;
  /** There is none to ask, or this host has run out of ports or descriptors. */
  onNobody(reason: NoBackend): void;
}

/** Whose session it is. */
export interface TriesFor {
  readonly client: Endpoint;
  /** What the client has connected to. */
  readonly vip: Endpoint;
}

/**
 * The backends that one FTP session asks, one after the other. The one that was asked last counts the session; where it
 * depends on the user, the service alone counts it until then. A session that leaves what it had found starts over.
 */
export class FtpTries {
  readonly #host: FtpSessionHost;
  readonly #owner: FtpTriesOwner;
  readonly #client: Endpoint;
  readonly #vip: Endpoint;
  readonly #isByUser: boolean;
  /** Scoreboard indexes, in the order in which they were asked for the user. */
  #tried: number[] = [];
  #user = '';
  #isWaiting = false;
  /** Whether the backend has greeted: what is sought next is another one. */
  #isFound = false;
  #attempt: AbortController | undefined;
  #backend: Backend | undefined;
  /** Why the backend was given up. */
  #failure: FailoverReason | undefined;

  constructor(host: FtpSessionHost, owner: FtpTriesOwner, { client, vip }: TriesFor, isByUser: boolean) {
    this.#host = host;
    this.#owner = owner;
    this.#client = client;
    this.#vip = vip;
    this.#isByUser = isByUser;
  }

  /** Whom the backend is for; empty where it does not depend on the user, or none is known yet. */
  get user(): string {
    return this.#user;
  }

  /** The one that was asked last. */
  get backend(): Backend | undefined {
    return this.#backend;
  }

  /** The session has begun. */
  start(): void {
    if (this.#isByUser) this.#wait();
  }

  /** `key` is what a user map knows the user by; without it that knows nobody. Never rejects. */
  async connect(user: string, key?: string): Promise<void> {
    const attempt = new AbortController();
    this.#attempt = attempt;
    if (this.#isFound || user !== this.#user) this.#startOver(user);
    const { users } = this.#host;
    const name = this.#isByUser && key !== undefined ? users?.get(key) : undefined;
    const isUnknown = this.#isByUser && users !== undefined && name === undefined;
    const backend = isUnknown ? undefined : this.#next(name);
    const socket = backend && (await this.#reach(backend, attempt.signal));
    if (!backend) await Promise.resolve();
    if (attempt.signal.aborted) socket?.reset();
    else if (isUnknown) this.#owner.onUnknownUser();
    else if (socket) this.#owner.onConnected(socket);
    else if (this.#failure === 'no-resources') this.#owner.onNobody('no-resources');
    else if (!backend) this.#owner.onNobody('no-backend');
    else this.#owner.onUnavailable();
  }

  /** Gives up an attempt that runs. Nothing is told of it. */
  cancel(): void {
    this.#attempt?.abort();
  }

  /** It has greeted. */
  found(): void {
    this.#isFound = true;
  }

  /** It was reached and did not greet as it should. */
  greetingFailed(reason: GreetingFailure): void {
    this.#giveUp(reason === 'silent' ? 'silent' : 'refused');
  }

  /** The session has ended: it counts nowhere any more. */
  end(): void {
    this.cancel();
    this.#release();
    this.#stopWaiting();
  }

  get #asking(): Asking {
    return { client: this.#client.address, file: '', user: this.#user, route: noRoute };
  }

  #startOver(user: string): void {
    this.#user = user;
    this.#tried = [];
    this.#isFound = false;
    this.#failure = undefined;
    this.#wait();
    this.#release();
    this.#backend = undefined;
  }

  #wait(): void {
    if (this.#isWaiting) return;
    this.#isWaiting = true;
    this.#host.backends.waitBegan();
  }

  #stopWaiting(): void {
    if (!this.#isWaiting) return;
    this.#isWaiting = false;
    this.#host.backends.waitEnded();
  }

  #release(): void {
    const { backends } = this.#host;
    backends.moveActive(this.#backend, undefined, this.#asking);
    if (this.#backend) backends.letGo(this.#backend);
  }

  /** `name`: the one backend that may be asked, if it may not be any. */
  #next(name: string | undefined): Backend | undefined {
    const { backends } = this.#host;
    const next =
      name === undefined
        ? backends.pick(this.#asking, this.#tried)
        : backends.pickNamed(name, this.#asking, this.#tried);
    if (!next) return undefined;
    this.#stopWaiting();
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
      const socket = await net.connectTcp(backend, { timeout: service.timing.connect, signal });
      const { version } = service.proxy;
      if (version !== undefined) socket.write(encodeProxyHeader(version, this.#client, this.#vip));
      return socket;
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
