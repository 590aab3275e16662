import type { Backend } from '../balance/pool.ts';
import { type Endpoint, formatEndpoint } from '../net/net.ts';
import type { FailoverReason, SessionEnd } from '../observe/events.ts';
import { blockOf, errorMessageOf } from '../tftp/packet.ts';
import type { TftpSession } from '../tftp/session.ts';
import { type BackendPlaces, backendAt, type SavedAccount } from './saved-relay.ts';
import type { SessionHost } from './session-host.ts';
import { type SessionFacts, summarize } from './session-summary.ts';

/** The session, as far as its account has to know it. */
export interface AccountOwner {
  readonly listener: Endpoint;
  readonly clientPort: number;
  readonly clientAddress: string;
  readonly route: number;
}

type ReportFacts = Pick<SessionFacts, 'request' | 'forwarded' | 'openedAt'>;

/** What is counted for a session while it runs, and what is told of it at its end. */
export class SessionAccount {
  readonly #host: SessionHost;
  readonly #owner: AccountOwner;
  /** The OACK that was relayed, one character a byte. */
  granted = '';
  /** Whose active session this is; undefined when it does not count as active. */
  #countedOn: Backend | undefined;
  #last: Backend | undefined;
  #error: SessionEnd['error'];
  isReported = false;

  constructor(host: SessionHost, owner: AccountOwner) {
    this.#host = host;
    this.#owner = owner;
  }

  get isCounted(): boolean {
    return this.#countedOn !== undefined;
  }

  countOn(backend: Backend | undefined): void {
    if (backend) this.#last = backend;
    if (backend === this.#countedOn) return;
    const { clientAddress: client, route } = this.#owner;
    this.#host.backends.moveActive(this.#countedOn, backend, { client, route });
    this.#countedOn = backend;
  }

  /** The first one is what has ended the session. */
  noteError(from: 'client' | 'backend' | 'balancer', packet: Uint8Array): void {
    this.#error ??= { from, code: blockOf(packet), message: errorMessageOf(packet) };
  }

  /** Tells of the end; to be called once. */
  report(facts: ReportFacts, machine: TftpSession, now: number): void {
    this.isReported = true;
    const { listener: vip, clientPort, clientAddress } = this.#owner;
    const session = {
      ...facts,
      service: this.#host.service.name,
      vip,
      clientPort,
      clientAddress,
      backend: this.#last?.name ?? '',
      granted: this.granted,
      error: this.#error,
    };
    this.#host.emit(summarize(session, machine, now));
  }

  tellFailover(from: Backend | undefined, to: Backend, reason: FailoverReason): void {
    this.#host.emit({
      kind: 'session.failover',
      service: this.#host.service.name,
      client: this.#client,
      from: from?.name ?? '',
      to: to.name,
      reason,
    });
  }

  tellResumed(file: string): void {
    this.#host.emit({
      kind: 'session.resume',
      service: this.#host.service.name,
      client: this.#client,
      file,
    });
  }

  save(places: BackendPlaces): SavedAccount {
    return {
      countedOn: places.of(this.#countedOn),
      last: places.of(this.#last),
      granted: this.granted,
      error: this.#error,
      isReported: this.isReported,
    };
  }

  /** Counts the session as active where it did. */
  restore(saved: SavedAccount, backends: readonly Backend[]): void {
    this.granted = saved.granted;
    this.#error = saved.error;
    this.isReported = saved.isReported;
    if (saved.countedOn >= 0) this.countOn(backendAt(backends, saved.countedOn));
    this.#last = saved.last < 0 ? undefined : backendAt(backends, saved.last);
  }

  get #client(): string {
    return formatEndpoint(this.#owner.clientAddress, this.#owner.clientPort);
  }
}
