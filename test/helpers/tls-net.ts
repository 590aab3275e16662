/** Connections under TLS as Node has it, for clients and servers of tests that know nothing of the balancer's own. */
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { Endpoint } from '../../src/net/net.ts';
import type {
  ConnectOptions,
  ListenHandlers,
  TcpBinding,
  TcpHandlers,
  TcpListener,
  TcpNet,
  TcpSocket,
} from '../../src/net/tcp.ts';

/** Puts a connection under TLS, or leaves it as it is. */
export type Secure = (raw: Socket) => TLSSocket | Socket;

/** A connection of Node's as one of the seam. Its end counts as clean where nothing broke. */
export class NodeSocket implements TcpSocket {
  readonly local: Endpoint;
  readonly remote: Endpoint;
  /** The connection beneath TLS. */
  readonly raw: Socket;
  readonly stream: TLSSocket | Socket;
  #handlers: TcpHandlers | undefined;
  /** What has happened before anybody was there to be told. */
  readonly #untold: ((handlers: TcpHandlers) => void)[] = [];
  #isBroken = false;

  constructor(raw: Socket, stream: TLSSocket | Socket) {
    this.raw = raw;
    this.stream = stream;
    this.local = { address: raw.localAddress ?? '', port: raw.localPort ?? 0 };
    this.remote = { address: raw.remoteAddress ?? '', port: raw.remotePort ?? 0 };
    for (const socket of new Set([raw, stream])) socket.on('error', () => (this.#isBroken = true));
    stream.once('end', () => this.#tell((handlers) => handlers.onEnd()));
    stream.once('close', () => {
      this.#tell((handlers) => handlers.onClose(this.#isBroken ? 'reset' : 'clean'));
    });
  }

  get pending(): number {
    return this.stream.writableLength;
  }

  handle(handlers: TcpHandlers): void {
    const isFirst = this.#handlers === undefined;
    this.#handlers = handlers;
    if (!isFirst) return;
    this.stream.on('data', (data: Uint8Array) => this.#handlers?.onData(data));
    this.stream.on('drain', () => this.#handlers?.onDrain());
    for (const event of this.#untold.splice(0)) setImmediate(() => this.#tell(event));
  }

  write(data: Uint8Array): boolean {
    return this.stream.write(data);
  }

  end(): void {
    this.stream.end();
  }

  reset(): void {
    this.raw.resetAndDestroy();
    this.stream.destroy();
  }

  release(): void {
    this.stream.end();
  }

  pause(): void {
    this.stream.pause();
  }

  resume(): void {
    this.stream.resume();
  }

  #tell(event: (handlers: TcpHandlers) => void): void {
    if (this.#handlers === undefined) this.#untold.push(event);
    else event(this.#handlers);
  }
}

/** Everything that is connected or accepted is secured. */
export class SecureNet implements TcpNet {
  readonly #secure: Secure;

  constructor(secure: Secure) {
    this.#secure = secure;
  }

  async connectTcp(to: Endpoint, { from }: ConnectOptions): Promise<TcpSocket> {
    const { address: host, port } = to;
    const raw = connect({ host, port, ...(from && { localAddress: from.address }), allowHalfOpen: true });
    await once(raw, 'connect');
    return new NodeSocket(raw, this.#secure(raw));
  }

  async listenTcp({ address, port }: TcpBinding, handlers: ListenHandlers): Promise<TcpListener> {
    const server = createServer({ allowHalfOpen: true }, (raw) => {
      handlers.onConnection(new NodeSocket(raw, this.#secure(raw)));
    });
    server.listen(port, address);
    await once(server, 'listening');
    return { address, port: (server.address() as AddressInfo).port, close: () => void server.close() };
  }
}
