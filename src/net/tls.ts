/**
 * TLS 1.2 and 1.3 (RFC 5246, RFC 8446) as FTP uses it (RFC 4217), over connections of the seam. What is secured is a
 * TcpSocket again, and keeps what that promises, with one difference: the clean end of a direction is a close_notify,
 * which nobody on the way can forge, and no longer a FIN, which everybody can.
 */
import type { TcpSocket } from './tcp.ts';

export type TlsVersion = 'TLSv1.2' | 'TLSv1.3';

/** The two kinds of connection that FTP has: the handshakes of the second kind prove that they belong to the first. */
export type TlsChannel = 'control' | 'data';

/** What a handshake has settled. */
export interface TlsFacts {
  readonly version: string;
  /** Whether it resumed a session (RFC 5077, RFC 8446 section 2.2) instead of exchanging certificates. */
  readonly isResumed: boolean;
  /**
   * The subject of the client's certificate, which was verified, as in RFC 4514: `CN=alice,O=Example`. It is UTF-8, one
   * character a byte.
   */
  readonly subject: string | undefined;
}

/**
 * What a data connection is used for.
 *
 *   read   Nothing will be written: what TLS itself says behind the handshake is kept until the end. A peer that sends
 *          a file and closes without reading would lose, by the reset that its system then sends, the end of the file.
 *   write  What the peer says counts for nothing: how it ends is what matters, and a FIN is as good as a close_notify.
 *          Behind our own end what it says need not be handed over any more.
 */
export type TlsUse = 'read' | 'write';

export interface SecureOptions {
  readonly channel: TlsChannel;
  /** What the connection is used for, if for one thing only. */
  readonly use?: TlsUse;
  /** What is to be different from the rules of the side: what a FIN means, how long a handshake may take. */
  readonly eof?: TlsRules['eof'];
  readonly handshakeTimeout?: number;
  /** The handshake is done, and nothing was read before. Not called for one that fails: then the socket closes. */
  readonly onSecure?: (facts: TlsFacts) => void;
}

/**
 * Our side of TLS for one FTP session: its control connection and the data connections that resume it. A connection
 * may be written to at once; what is written waits for the handshake. It closes as `reset`, with
 *
 *   TLB_ERR_TIMEOUT          the handshake took too long
 *   TLB_ERR_CERTIFICATE      the peer's certificate is not trusted, or is missing
 *   TLB_ERR_TLS_NOT_RESUMED  a data connection did not resume the session and had to
 *   TLB_ERR_TLS_TRUNCATED    a FIN came without a close_notify: whatever was heard may be a part only
 *   TLB_ERR_TLS              anything else that TLS forbids, plaintext and other versions among it
 */
export interface TlsSession {
  /**
   * `socket` belongs to TLS from here on. All that its peer sends from now on is TLS: whatever was read before must
   * not be taken for part of what is secured.
   */
  secure(socket: TcpSocket, options: SecureOptions): TcpSocket;
}

/** A certificate and its private key, both as PEM; certificates of the chain follow the first one. */
export interface KeyPair {
  readonly certificate: string;
  readonly key: string;
}

/** What both sides have in common. */
interface TlsRules {
  readonly minVersion: TlsVersion;
  /** Milliseconds. */
  readonly handshakeTimeout: number;
  /** Whether a FIN without a close_notify breaks a connection, or is taken for its clean end. */
  readonly eof: 'strict' | 'lenient';
}

export interface TlsServerOptions extends TlsRules {
  /** At least one. A client that asks for no name, or for one that none of them has, is shown the first. */
  readonly keyPairs: readonly KeyPair[];
  /** Who signs the certificates of clients, as PEM; without it clients are not asked for any. */
  readonly clientCa: string | undefined;
  readonly clientCertificate: 'optional' | 'required';
  /**
   * Whether data connections have to resume the TLS session of their control connection, which proves that they come
   * from the same client:
   *
   *   off      nothing is known of it: all sessions have their tickets from one key
   *   prefer   a resumed data connection is proven to be the same client's; one that is not resumed is taken, too
   *   require  one that is not resumed is refused
   */
  readonly dataResumption: 'off' | 'prefer' | 'require';
}

export interface TlsClientOptions extends TlsRules {
  /** Who signs the certificates of servers, as PEM; without it those whom Node trusts. */
  readonly ca: string | undefined;
  /** False takes any certificate. */
  readonly isVerified: boolean;
}

export interface TlsServer {
  openSession(): TlsSession;
}

export interface TlsClient {
  /** `host` is the name, or the numeric address, that the server's certificate must have. */
  openSession(host: string): TlsSession;
}

export interface TlsNet {
  /** Throws NetError with TLB_ERR_CERTIFICATE where a certificate or a key is of no use. */
  createTlsServer(options: TlsServerOptions): TlsServer;
  /** As above. */
  createTlsClient(options: TlsClientOptions): TlsClient;
}
