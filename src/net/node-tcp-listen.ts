import { once } from 'node:events';
import { createServer, type Server, Socket, type SocketConstructorOpts } from 'node:net';
import { NetError } from './net.ts';
import { isDescriptorLeft, noDescriptors } from './node-descriptors.ts';
import { errnoOf, toNetError } from './node-errors.ts';
import { checkEndpoint, endOf } from './node-tcp-address.ts';
import { TcpReader } from './node-tcp-reader.ts';
import { NodeTcpSocket, socketOptions, writableHighWaterMark } from './node-tcp-socket.ts';
import { turnAway, type ListenHandlers, type TcpBinding, type TcpListener } from './tcp.ts';

const defaultBacklog = 511;

/** With the socket `fd`, which listens there already, or with one of its own. Rejects with NetError; nothing stays open then. */
export async function listenNodeTcp(
  at: TcpBinding,
  handlers: ListenHandlers,
  fd?: number,
): Promise<TcpListener> {
  const { address, port, backlog = defaultBacklog, reusePort = false } = at;
  const attempt = `cannot listen on ${address} port ${port}`;
  const ipv6Only = checkEndpoint(at, 0, attempt) === 6;
  const server = createServer({ ...socketOptions, pauseOnConnect: true });
  try {
    if (fd === undefined)
      server.listen({ host: address, port, backlog, ipv6Only, exclusive: true, reusePort });
    else server.listen({ fd, backlog });
    await once(server, 'listening');
  } catch (error) {
    if (port === 0 && errnoOf(error) === 'EADDRINUSE') {
      throw new NetError('TLB_ERR_NO_PORTS', `${attempt}: no free port is left`, { cause: error });
    }
    throw toNetError(error, attempt);
  }
  if (!isDescriptorLeft()) {
    server.close();
    throw new NetError('TLB_ERR_NO_DESCRIPTORS', `${attempt}: ${noDescriptors}`);
  }
  return new NodeTcpListener(server, handlers);
}

class NodeTcpListener implements TcpListener {
  readonly address: string;
  readonly port: number;
  readonly #server: Server;
  readonly #handlers: ListenHandlers;

  /** `server` listens, and the event loop has not turned since. */
  constructor(server: Server, handlers: ListenHandlers) {
    const at = server.address();
    if (at === null || typeof at === 'string') throw new TypeError('the server does not listen on a port');
    this.address = at.address;
    this.port = at.port;
    this.#server = server;
    this.#handlers = handlers;
    server.on('error', (error) => handlers.onError(toNetError(error, this.#attempt)));
    server.on('connection', (raw) => this.#accept(raw));
  }

  close(): void {
    this.#server.close();
  }

  get #attempt(): string {
    return `cannot accept on ${this.address} port ${this.port}`;
  }

  #accept(raw: Socket): void {
    const local = endOf(raw.localAddress, raw.localPort);
    const remote = endOf(raw.remoteAddress, raw.remotePort);
    if (local === undefined || remote === undefined) {
      // The peer has reset it already.
      raw.on('error', () => undefined).destroy();
      return;
    }
    const reader = new TcpReader();
    const socket = new NodeTcpSocket(readInto(reader, raw), reader, local, remote);
    if (isDescriptorLeft()) {
      this.#handlers.onConnection(socket);
      return;
    }
    turnAway(socket, this.#handlers);
    this.#handlers.onError(new NetError('TLB_ERR_NO_DESCRIPTORS', `${this.#attempt}: ${noDescriptors}`));
  }
}

/** What node:net keeps to itself of a socket. */
interface Holder {
  _handle?: SocketConstructorOpts['handle'] | null;
}

/**
 * A server cannot be told how its connections are to be read, so each moves to a socket that was. How this is done is
 * not documented, but it is how node:net itself makes the sockets of a server.
 */
function readInto(reader: TcpReader, accepted: Socket): Socket {
  const holder: Holder = accepted as object;
  const handle = holder._handle;
  if (!handle) throw new TypeError('node:net gives no access to its connections');
  const { allowHalfOpen } = socketOptions;
  const options = { handle, allowHalfOpen, writableHighWaterMark, onread: reader.options };
  const socket = new Socket(options).pause();
  holder._handle = null;
  accepted.destroy();
  return socket;
}
