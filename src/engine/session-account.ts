import type { Backend } from '../balance/pool.ts';
import { formatEndpoint } from '../net/net.ts';
import type { FailoverReason, SessionEnd } from '../observe/events.ts';
import { blockOf, errorMessageOf } from '../tftp/packet.ts';
import type { TftpRequest } from '../tftp/request.ts';
import type { TftpSession } from '../tftp/session.ts';
import { type BackendPlaces, backendAt, type SavedAccount } from './saved-relay.ts';
import type { SessionHost } from './session-host.ts';
import { type SessionFacts, summarize } from './session-summary.ts';

type Client = Pick<SessionFacts, 'clientPort' | 'clientAddress'>;
type ReportFacts = Client & Pick<SessionFacts, 'vip' | 'openedAt'>;

/** What is counted for a session while it runs, and what is told of it at its end. */
export class SessionAccount {
  readonly #host: SessionHost;
  /** What the backend has granted. */
  granted: Readonly<Record<string, string>> = {};
  /** Whose active session this is; undefined when it does not count as active. */
  #countedOn: Backend | undefined;
  #last: Backend | undefined;
  #error: SessionEnd['error'];
  #isReported = false;

  constructor(host: SessionHost) {
    this.#host = host;
  }

  get isCounted(): boolean {
    return this.#countedOn !== undefined;
  }

  countOn(backend: Backend | undefined): void {
    if (backend) this.#last = backend;
    if (backend === this.#countedOn) return;
    this.#host.backends.moveActive(this.#countedOn, backend);
    this.#countedOn = backend;
  }

  /** The first one is what has ended the session. */
  noteError(from: 'client' | 'backend' | 'balancer', packet: Uint8Array): void {
    this.#error ??= { from, code: blockOf(packet), message: errorMessageOf(packet) };
  }

  /** Tells of the end, once. */
  report(facts: ReportFacts, request: TftpRequest, machine: TftpSession, now: number): void {
    if (this.#isReported) return;
    this.#isReported = true;
    const { vip, clientPort, clientAddress, openedAt } = facts;
    const session = {
      service: this.#host.service.name,
      vip,
      clientPort,
      clientAddress,
      backend: this.#last?.name ?? '',
      request,
      granted: this.granted,
      openedAt,
      error: this.#error,
    };
    this.#host.emit(summarize(session, machine, now));
  }

  tellFailover(client: Client, from: Backend | undefined, to: Backend, reason: FailoverReason): void {
    this.#host.emit({
      kind: 'session.failover',
      service: this.#host.service.name,
      client: formatEndpoint(client.clientAddress, client.clientPort),
      from: from?.name ?? '',
      to: to.name,
      reason,
    });
  }

  tellResumed(client: Client, file: string): void {
    this.#host.emit({
      kind: 'session.resume',
      service: this.#host.service.name,
      client: formatEndpoint(client.clientAddress, client.clientPort),
      file,
    });
  }

  save(places: BackendPlaces): SavedAccount {
    return {
      countedOn: places.of(this.#countedOn),
      last: places.of(this.#last),
      granted: this.granted,
      error: this.#error,
      isReported: this.#isReported,
    };
  }

  /** Counts the session as active where it did. */
  restore(saved: SavedAccount, backends: readonly Backend[]): void {
    this.granted = saved.granted;
    this.#error = saved.error;
    this.#isReported = saved.isReported;
    if (saved.countedOn >= 0) this.countOn(backendAt(backends, saved.countedOn));
    this.#last = saved.last < 0 ? undefined : backendAt(backends, saved.last);
  }
}
