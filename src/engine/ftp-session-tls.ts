import type { NetError, NetErrorCode } from '../net/net.ts';
import type { TlsChannel, TlsFacts, TlsSession } from '../net/tls.ts';
import type { FtpTlsFault } from '../observe/events.ts';
import type { FtpSessionHost } from './ftp-session-host.ts';
import type { Whose } from './ftp-summary.ts';

export type Leg = 'client' | 'backend';

/** TLS on the legs of one session, and what is told of it. */
export class FtpSessionTls {
  readonly #host: FtpSessionHost;
  readonly #whose: () => Whose;
  readonly #sessions: Partial<Record<Leg, TlsSession>> = {};
  readonly #facts: Partial<Record<Leg, TlsFacts>> = {};

  constructor(host: FtpSessionHost, whose: () => Whose) {
    this.#host = host;
    this.#whose = whose;
  }

  /** What the data connections of a leg resume; undefined for a leg in clear. */
  of(leg: Leg): TlsSession | undefined {
    return this.#sessions[leg];
  }

  openClient(): TlsSession {
    const session = this.#host.tls.openClientSession();
    this.#sessions.client = session;
    return session;
  }

  /** `host` is whose certificate is wanted. */
  openBackend(host: string): TlsSession {
    const session = this.#host.tls.openBackendSession(host);
    this.#sessions.backend = session;
    return session;
  }

  /** The connection is a new one, and in clear. */
  forgetBackend(): void {
    delete this.#sessions.backend;
    delete this.#facts.backend;
  }

  /** Of the control connections, for the session's line in the log. */
  get summary(): { readonly clientTls?: string; readonly backendTls?: string; readonly subject?: string } {
    const { subject } = this;
    const { client, backend } = this.#facts;
    return {
      ...(client && { clientTls: client.version }),
      ...(backend && { backendTls: backend.version }),
      ...(subject !== undefined && { subject }),
    };
  }

  /** Of the client's certificate, one character a byte; undefined where there is none that was verified. */
  get subject(): string | undefined {
    return this.#facts.client?.subject;
  }

  onSecure(leg: Leg, channel: TlsChannel, facts: TlsFacts): void {
    if (channel === 'control') this.#facts[leg] = facts;
    const { version, isResumed } = facts;
    const { name: service } = this.#host.service;
    this.#host.emit({ kind: 'ftp.tls', service, leg, channel, version, isResumed });
  }

  /** A backend does not go under TLS as it has to, and says so in FTP. */
  onRefused(): void {
    const error = 'the server refused AUTH or PROT, or said more than 234 in clear';
    const place = { leg: 'backend', channel: 'control', reason: 'refused' } as const;
    this.#host.emit({ kind: 'ftp.tls-failed', ...this.#whose(), ...place, error });
  }

  /** A connection broke. That it was reset is no fault of TLS. */
  onBroken(leg: Leg, channel: TlsChannel, error: NetError | undefined): void {
    const reason = error && faults[error.code];
    if (!error || !reason || this.of(leg) === undefined) return;
    const { message } = error;
    this.#host.emit({ kind: 'ftp.tls-failed', ...this.#whose(), leg, channel, reason, error: message });
  }
}

const faults: Readonly<Partial<Record<NetErrorCode, FtpTlsFault>>> = {
  TLB_ERR_TIMEOUT: 'timeout',
  TLB_ERR_CERTIFICATE: 'certificate',
  TLB_ERR_TLS_NOT_RESUMED: 'not-resumed',
  TLB_ERR_TLS_TRUNCATED: 'truncated',
  TLB_ERR_TLS: 'protocol',
};
