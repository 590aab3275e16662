/** Why a connection under TLS broke. */
export const ftpTlsFaults = [
  /** The handshake took too long. */
  'timeout',
  /** The other side's certificate is not trusted, or is missing. */
  'certificate',
  /** A data connection did not resume the session of its control connection. */
  'not-resumed',
  /** It ended without a close_notify. */
  'truncated',
  /** A server took no AUTH, or no PROT, that it has to take. */
  'refused',
  /** Anything else that TLS forbids, plaintext and other versions among it. */
  'protocol',
] as const;
export type FtpTlsFault = (typeof ftpTlsFaults)[number];

/** What came of certificates that have changed. */
export const certificateResults = ['loaded', 'failed'] as const;

/** A handshake was done. */
interface FtpTls {
  readonly kind: 'ftp.tls';
  readonly service: string;
  readonly leg: 'client' | 'backend';
  readonly channel: 'control' | 'data';
  readonly version: string;
  readonly isResumed: boolean;
}

/** A connection under TLS broke, and TLS was the reason. */
export interface FtpTlsFailed {
  readonly kind: 'ftp.tls-failed';
  readonly service: string;
  readonly client: string;
  readonly vip: string;
  readonly backend: string;
  readonly leg: 'client' | 'backend';
  readonly channel: 'control' | 'data';
  readonly reason: FtpTlsFault;
  /** What the other side has sent may be part of it. Subscribers escape it. */
  readonly error: string;
}

/** Sessions that begin from now on have other certificates, or trust others. */
export interface CertificatesLoaded {
  readonly kind: 'ftp.certificates.loaded';
  readonly service: string;
  /** When the first of them expires, in milliseconds since 1970; left out where there are none of our own. */
  readonly expiresAt?: number;
  /** What is odd about them, one sentence each; left out where nothing is. */
  readonly doubts?: readonly string[];
}

/** The files have become such that they cannot be used; the last good certificates stay in force. */
interface CertificatesFailed {
  readonly kind: 'ftp.certificates.failed';
  readonly service: string;
  readonly error: string;
}

export type FtpTlsEvent = FtpTls | FtpTlsFailed | CertificatesLoaded | CertificatesFailed;
