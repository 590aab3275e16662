import { NetError } from '../net/net.ts';
import type {
  TlsClient,
  TlsClientOptions,
  TlsNet,
  TlsServer,
  TlsServerOptions,
  TlsSession,
} from '../net/tls.ts';
import type { FtpTlsRules } from './snapshot.ts';

/** What the sessions of a service have TLS from. Those that run keep what they began with. */
export class FtpTls {
  readonly #net: TlsNet | undefined;
  #rules: FtpTlsRules;
  #server: TlsServer | undefined;
  #client: TlsClient | undefined;

  /** Throws NetError with TLB_ERR_CERTIFICATE. */
  constructor(net: TlsNet | undefined, rules: FtpTlsRules) {
    this.#net = net;
    this.#rules = rules;
    this.#server = rules.server && this.#netNow.createTlsServer(rules.server);
    this.#client = rules.client && this.#netNow.createTlsClient(rules.client);
  }

  /** Throws as above; then all is as it was. */
  update(rules: FtpTlsRules): void {
    const { server, client } = this.#rules;
    // The data of each snapshot are copies, and to make a server of them takes milliseconds.
    const isServerKept = isSame(server, rules.server);
    const isClientKept = isSame(client, rules.client);
    const nextServer =
      rules.server && (isServerKept ? this.#server : this.#netNow.createTlsServer(rules.server));
    const nextClient =
      rules.client && (isClientKept ? this.#client : this.#netNow.createTlsClient(rules.client));
    this.#server = nextServer;
    this.#client = nextClient;
    this.#rules = rules;
  }

  /** For the connections of one client. Throws NetError where no client can have TLS. */
  openClientSession(): TlsSession {
    return given(this.#server).openSession();
  }

  /** For the connections to one backend, whose certificate has to be that of `host`. Throws as above. */
  openBackendSession(host: string): TlsSession {
    return given(this.#client).openSession(this.#rules.serverName ?? host);
  }

  get #netNow(): TlsNet {
    return given(this.#net);
  }
}

function given<T>(side: T | undefined): T {
  if (side === undefined) throw new NetError('TLB_ERR_TLS', 'TLS is not set up');
  return side;
}

function isSame(
  one: TlsServerOptions | TlsClientOptions | undefined,
  other: TlsServerOptions | TlsClientOptions | undefined,
): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
