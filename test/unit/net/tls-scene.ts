/** Our sockets under TLS, and those of Node as their peers. */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import tls from 'node:tls';
import { afterEach } from 'vitest';
import type { Endpoint } from '../../../src/net/net.ts';
import { createNodeNet } from '../../../src/net/node-net.ts';
import { createNodeTlsClient } from '../../../src/net/node-tls-client.ts';
import { createNodeTlsServer } from '../../../src/net/node-tls-server.ts';
import type { TcpSocket } from '../../../src/net/tcp.ts';
import type {
  KeyPair,
  TlsClientOptions,
  TlsFacts,
  TlsServer,
  TlsServerOptions,
  TlsSession,
} from '../../../src/net/tls.ts';
import { TcpEar } from '../../contract/net-tcp-scene.ts';
import { openTcpSockets, until } from '../../contract/real-world.ts';
import { makeKeyPair } from '../../helpers/certificates.ts';

const net = createNodeNet();
export const loopback = '127.0.0.1';
export const authority: KeyPair = makeKeyPair({ name: 'Authority', names: 'DNS:authority' });
export const keyPair: KeyPair = makeKeyPair({ issuer: authority });
export const versions = ['TLSv1.2', 'TLSv1.3'] as const;
/** What is called when the test is over. */
export const closers: (() => unknown)[] = [];

/** Call it once in each file: closes what a test has opened, and fails it if something stays open. */
export function closeAfterEach(): void {
  afterEach(async () => {
    for (const close of closers.splice(0)) await close();
    await until(() => openTcpSockets() === 0);
  });
}

export function createServerOf(options: Partial<TlsServerOptions> = {}): TlsServer {
  return createNodeTlsServer(net, {
    keyPairs: [keyPair],
    clientCa: undefined,
    clientCertificate: 'optional',
    dataResumption: 'off',
    minVersion: 'TLSv1.2',
    handshakeTimeout: 10_000,
    eof: 'strict',
    ...options,
  });
}

export function createSession(host = 'localhost', options: Partial<TlsClientOptions> = {}): TlsSession {
  const defaults = {
    ca: authority.certificate,
    isVerified: true,
    minVersion: 'TLSv1.2',
    handshakeTimeout: 10_000,
    eof: 'strict',
  } as const;
  return createNodeTlsClient(net, { ...defaults, ...options }).openSession(host);
}

/** A connection that we have secured, and what was heard of it. */
export interface Secured {
  readonly socket: TcpSocket;
  readonly ear: TcpEar;
  readonly facts: TlsFacts[];
}

function secure(session: TlsSession, raw: TcpSocket, channel: 'control' | 'data' = 'control'): Secured {
  const facts: TlsFacts[] = [];
  const socket = session.secure(raw, { channel, onSecure: (fact) => facts.push(fact) });
  const ear = new TcpEar();
  socket.handle(ear);
  closers.push(() => socket.reset());
  return { socket, ear, facts };
}

interface Listening {
  readonly port: number;
  readonly secured: Secured[];
}

/** We are the server: every connection is secured in the session that is given. */
export async function listen(
  sessionOf: (index: number) => TlsSession,
  channel?: 'control' | 'data',
): Promise<Listening> {
  const secured: Secured[] = [];
  const listener = await net.listenTcp(
    { address: loopback, port: 0 },
    {
      onConnection: (raw) => secured.push(secure(sessionOf(secured.length), raw, channel)),
      onError: () => undefined,
    },
  );
  closers.push(() => listener.close());
  return { port: listener.port, secured };
}

interface NodeClient {
  readonly socket: tls.TLSSocket;
  readonly errors: string[];
}

/** A client of Node, whose errors are written down. */
export function connectNode(port: number, options: tls.ConnectionOptions = {}): NodeClient {
  const socket = tls.connect({
    host: loopback,
    port,
    servername: 'localhost',
    ca: authority.certificate,
    ...options,
  });
  const errors: string[] = [];
  socket.on('error', (error) => errors.push(error.message)).resume();
  closers.push(() => socket.destroy());
  return { socket, errors };
}

/** A server of Node; we are the client. */
export async function listenNode(
  options: tls.TlsOptions,
  onConnection: (socket: tls.TLSSocket) => void = () => undefined,
): Promise<Endpoint> {
  const server = tls.createServer({ cert: keyPair.certificate, key: keyPair.key, ...options }, (socket) => {
    socket.on('error', () => undefined);
    closers.push(() => socket.destroy());
    onConnection(socket);
  });
  server.listen(0, loopback);
  closers.push(() => server.close());
  await once(server, 'listening');
  return { address: loopback, port: (server.address() as AddressInfo).port };
}

export async function connectTo(
  at: Endpoint,
  session: TlsSession,
  channel?: 'control' | 'data',
): Promise<Secured> {
  return secure(session, await net.connectTcp(at, { timeout: 10_000 }), channel);
}

export const codesOf = ({ ear }: Secured): unknown[] => ear.errors.map((error) => error?.code);
export const withoutDrain = ({ ear }: Secured): string[] => ear.events.filter((event) => event !== 'drain');
