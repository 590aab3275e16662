import { isIP } from 'node:net';
import type { Duplex } from 'node:stream';
import { connect, type ConnectionOptions, type SecureContext, type TLSSocket } from 'node:tls';
import { createContext, readAuthorities } from './certificates.ts';
import type { Clock } from './net.ts';
import { tlsFacts } from './node-tls-facts.ts';
import { openTlsSocket } from './node-tls-open.ts';
import { noRenegotiation } from './node-tls-socket.ts';
import type { TcpSocket } from './tcp.ts';
import { TlsTickets } from './tls-tickets.ts';
import type { SecureOptions, TlsChannel, TlsClient, TlsClientOptions, TlsSession } from './tls.ts';

/** Throws NetError with TLB_ERR_CERTIFICATE. */
export function createNodeTlsClient(clock: Clock, options: TlsClientOptions): TlsClient {
  const { ca, minVersion } = options;
  const authorities = ca === undefined ? {} : { ca: readAuthorities(ca) };
  const context = createContext({ minVersion, secureOptions: noRenegotiation, ...authorities });
  return { openSession: (host) => new NodeTlsClientSession(clock, context, options, host) };
}

class NodeTlsClientSession implements TlsSession {
  readonly #clock: Clock;
  readonly #context: SecureContext;
  readonly #options: TlsClientOptions;
  readonly #host: string;
  readonly #tickets = new TlsTickets();

  constructor(clock: Clock, context: SecureContext, options: TlsClientOptions, host: string) {
    this.#clock = clock;
    this.#context = context;
    this.#options = options;
    this.#host = host;
  }

  secure(socket: TcpSocket, { channel, onSecure, use, ...rules }: SecureOptions): TcpSocket {
    return openTlsSocket(
      socket,
      {
        doneEvent: 'secureConnect',
        begin: (transport) => this.#begin(transport, channel),
        onDone: (tls) => onSecure?.(tlsFacts(tls)),
      },
      {
        clock: this.#clock,
        ...this.#options,
        ...rules,
        // What a client says behind the server's last word is the end of the handshake: it must not be kept.
        use: use === 'write' ? use : undefined,
      },
    );
  }

  #begin(transport: Duplex, channel: TlsChannel): TLSSocket {
    const ticket = this.#tickets.take();
    const options: ConnectionOptions = {
      socket: transport,
      secureContext: this.#context,
      host: this.#host,
      rejectUnauthorized: this.#options.isVerified,
      // Addresses are never asked for by name (RFC 6066 section 3).
      ...(isIP(this.#host) === 0 && { servername: this.#host }),
      ...(ticket && { session: Buffer.from(ticket) }),
      ...(channel === 'control' && { ALPNProtocols: ['ftp'] }),
    };
    return connect(options).on('session', (session) => this.#tickets.add(session));
  }
}
