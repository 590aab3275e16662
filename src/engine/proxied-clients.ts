import { type Clock, type Endpoint, formatEndpoint, type NetError } from '../net/net.ts';
import { readProxyHeader } from '../net/proxied-socket.ts';
import type { TcpSocket } from '../net/tcp.ts';
import { isInNetwork } from './network.ts';
import type { ProxyRules } from './snapshot.ts';

export interface ProxiedClientsOwner {
  /** A connection as its client's own; `vip` is what the client has connected to. */
  onClient(socket: TcpSocket, vip: Endpoint): void;
  /** A trusted proxy has said nothing that can be read. */
  onFault(proxy: string, listener: Endpoint, error: NetError): void;
}

/** Whose connections they are: what trusted proxies say of those that they pass on, and nobody else. */
export class ProxiedClients {
  readonly #clock: Clock;
  /** Connections whose header has not come. */
  readonly #waiting = new Set<TcpSocket>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  take(socket: TcpSocket, { trusted, timeout }: ProxyRules, owner: ProxiedClientsOwner): void {
    const { remote, local } = socket;
    if (!trusted.some((network) => isInNetwork(remote.address, network))) {
      owner.onClient(socket, local);
      return;
    }
    this.#waiting.add(socket);
    readProxyHeader(socket, this.#clock, timeout, {
      onClient: (client, destination = local) => {
        this.#waiting.delete(socket);
        owner.onClient(client, destination);
      },
      onFault: (error) => {
        this.#waiting.delete(socket);
        owner.onFault(formatEndpoint(remote.address, remote.port), local, error);
      },
      onGone: () => this.#waiting.delete(socket),
    });
  }

  close(): void {
    for (const socket of this.#waiting) socket.reset();
    this.#waiting.clear();
  }
}
