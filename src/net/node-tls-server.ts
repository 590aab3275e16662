import { randomBytes } from 'node:crypto';
import { type SecureContext, TLSSocket, type TLSSocketOptions } from 'node:tls';
import {
  type Certificate,
  chooseCertificate,
  createContext,
  readAuthorities,
  readKeyPair,
} from './certificates.ts';
import { type Clock, NetError } from './net.ts';
import { toTlsError } from './node-tls-errors.ts';
import { tlsFacts } from './node-tls-facts.ts';
import { openTlsSocket } from './node-tls-open.ts';
import { sessionsById } from './node-tls-sessions.ts';
import { noRenegotiation } from './node-tls-socket.ts';
import { renewTickets } from './node-tls-tickets.ts';
import type { TcpSocket } from './tcp.ts';
import type { SecureOptions, TlsChannel, TlsServer, TlsServerOptions, TlsSession } from './tls.ts';

/** What keeps sessions apart from those of other programs; OpenSSL wants one as soon as clients are verified. */
const sessionIdContext = 'tftp-lb';
/** RFC 4217 leaves it out; registered with IANA, and refused to whoever asks for other protocols (ALPACA). */
const protocols = ['ftp'];
/**
 * Seconds that a session can be resumed for, where that is only within its FTP session: as long as TLS lets them be
 * (RFC 8446 section 4.6.1), since data connections come as long as the control connection stays.
 */
const boundLifetime = 604_800;
/** Bytes: a name, a key for the encryption of tickets and one for their authentication. */
const ticketKeysLength = 48;

/** Throws NetError with TLB_ERR_CERTIFICATE. */
export function createNodeTlsServer(clock: Clock, options: TlsServerOptions): TlsServer {
  const certificates = options.keyPairs.map((pair) => readKeyPair(pair));
  const shared = new Contexts(certificates, options);
  // Fails now if it has to.
  shared.forName('');
  return {
    openSession: () => {
      const isBound = options.dataResumption !== 'off';
      return new NodeTlsServerSession(clock, isBound ? new Contexts(certificates, options) : shared, options);
    },
  };
}

/** One context for each certificate, made when it is needed. All take the tickets of each other, and no others. */
class Contexts {
  readonly #certificates: readonly Certificate[];
  readonly #options: TlsServerOptions;
  readonly #ticketKeys = randomBytes(ticketKeysLength);
  readonly #contexts = new Map<Certificate, SecureContext>();

  constructor(certificates: readonly Certificate[], options: TlsServerOptions) {
    this.#certificates = certificates;
    this.#options = options;
  }

  /** Throws NetError. */
  forName(name: string): SecureContext {
    const certificate = chooseCertificate(this.#certificates, name);
    if (certificate === undefined)
      throw new NetError('TLB_ERR_CERTIFICATE', 'there is no certificate to show');
    const context = this.#contexts.get(certificate) ?? this.#create(certificate);
    this.#contexts.set(certificate, context);
    return context;
  }

  #create({ pair }: Certificate): SecureContext {
    const { minVersion, clientCa, dataResumption } = this.#options;
    const context = createContext({
      cert: pair.certificate,
      key: pair.key,
      minVersion,
      sessionIdContext,
      ticketKeys: this.#ticketKeys,
      secureOptions: noRenegotiation,
      ...(dataResumption !== 'off' && { sessionTimeout: boundLifetime }),
      ...(clientCa !== undefined && { ca: readAuthorities(clientCa) }),
    });
    renewTickets(context, this.#ticketKeys);
    return context;
  }
}

class NodeTlsServerSession implements TlsSession {
  readonly #clock: Clock;
  readonly #contexts: Contexts;
  readonly #options: TlsServerOptions;
  readonly #sessions = sessionsById();

  constructor(clock: Clock, contexts: Contexts, options: TlsServerOptions) {
    this.#clock = clock;
    this.#contexts = contexts;
    this.#options = options;
  }

  secure(socket: TcpSocket, { channel, onSecure, ...rules }: SecureOptions): TcpSocket {
    const options = this.#socketOptions(channel);
    return openTlsSocket(
      socket,
      {
        doneEvent: 'secure',
        begin: (transport) => new TLSSocket(transport, options),
        onDone: (tls) => {
          this.#check(tls, channel);
          onSecure?.(tlsFacts(tls));
        },
      },
      { clock: this.#clock, ...this.#options, ...rules },
    );
  }

  /** A data connection is known by its address and, if that is wished, by its ticket. */
  #socketOptions(channel: TlsChannel): TLSSocketOptions {
    const options: TLSSocketOptions = {
      isServer: true,
      server: this.#sessions,
      secureContext: this.#contexts.forName(''),
      SNICallback: (name, done) => this.#chooseContext(name, done),
    };
    if (channel === 'data') return options;
    const { clientCa, clientCertificate } = this.#options;
    return {
      ...options,
      ALPNProtocols: protocols,
      requestCert: clientCa !== undefined,
      rejectUnauthorized: clientCertificate === 'required',
    };
  }

  #chooseContext(name: string, done: (error: Error | null, context?: SecureContext) => void): void {
    try {
      done(null, this.#contexts.forName(name));
    } catch (error) {
      done(toTlsError(error, 'no certificate for the name that was asked for'));
    }
  }

  #check(tls: TLSSocket, channel: TlsChannel): void {
    const { clientCa, clientCertificate, dataResumption } = this.#options;
    if (channel === 'control') {
      if (clientCa !== undefined) checkClient(tls, clientCertificate);
    } else if (dataResumption === 'require' && !tls.isSessionReused()) {
      const { remoteAddress: address = 'a client' } = tls;
      throw new NetError(
        'TLB_ERR_TLS_NOT_RESUMED',
        `${address} did not resume the session of its control connection`,
      );
    }
  }
}

/** What Node keeps to itself of a TLS socket that no server of its own has made. */
interface Verified {
  _handle?: { verifyError(): Error | null };
}

/** OpenSSL asks nothing of a client that resumes, be it the session of a data connection, which has no certificate. */
function checkClient(tls: TLSSocket, wanted: TlsServerOptions['clientCertificate']): void {
  if (tls.getPeerX509Certificate() === undefined) {
    if (wanted === 'optional') return;
    throw new NetError('TLB_ERR_CERTIFICATE', 'the client has shown no certificate');
  }
  const { _handle: handle }: Verified = tls as object;
  const error = handle?.verifyError();
  // Undefined would mean that Node does not tell.
  if (error !== null) throw toTlsError(error, 'the certificate of the client is not trusted');
}
