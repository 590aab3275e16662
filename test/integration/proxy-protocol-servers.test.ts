/** What servers are told of clients: once, in front of a control connection, and never in front of a file. */
import { afterAll, expect, onTestFinished, test } from 'vitest';
import type { Endpoint } from '../../src/net/net.ts';
import { createNodeTlsServer } from '../../src/net/node-tls-server.ts';
import { encodeProxyHeader } from '../../src/net/proxy-header.ts';
import { readProxyHeader } from '../../src/net/proxied-socket.ts';
import type { ListenHandlers, TcpNet, TcpSocket } from '../../src/net/tcp.ts';
import type { TlsChannel } from '../../src/net/tls.ts';
import { cleanUp } from '../helpers/clean-up.ts';
import { FtpServer, say } from '../helpers/ftp-server.ts';
import { content, download, upload } from '../helpers/ftp-transfers.ts';
import { ownLoopback } from '../helpers/sockets.ts';
import { connectTo, loginTo, net, startFtpBalancer } from './ftp.ts';
import { certificate, own } from './ftps-raw.ts';

afterAll(cleanUp);

type Secure = (socket: TcpSocket, channel: TlsChannel) => TcpSocket;

/** The net of a server that expects a header in front of control connections, and of no others. */
class ExpectantNet implements TcpNet {
  /** What clients have connected to, as it was told; undefined where a header names nobody. */
  readonly destinations: (Endpoint | undefined)[] = [];
  readonly faults: unknown[] = [];
  readonly #secure: Secure;
  #isControl = true;

  constructor(secure: Secure) {
    this.#secure = secure;
  }

  /** The first one is for control connections. */
  listenTcp(at: Endpoint, handlers: ListenHandlers): ReturnType<TcpNet['listenTcp']> {
    const isControl = this.#isControl;
    this.#isControl = false;
    const onData = (socket: TcpSocket): void => handlers.onConnection(this.#secure(socket, 'data'));
    const onControl = (socket: TcpSocket): void =>
      readProxyHeader(socket, net, 5_000, {
        onClient: (client, destination) => {
          this.destinations.push(destination);
          handlers.onConnection(this.#secure(client, 'control'));
        },
        onFault: (error) => this.faults.push(error),
        onGone: () => this.faults.push('gone'),
      });
    return net.listenTcp(at, { ...handlers, onConnection: isControl ? onControl : onData });
  }

  async connectTcp(...where: Parameters<TcpNet['connectTcp']>): Promise<TcpSocket> {
    return this.#secure(await net.connectTcp(...where), 'data');
  }
}

function secureAll(): Secure {
  const session = createNodeTlsServer(net, {
    keyPairs: [own],
    clientCa: undefined,
    clientCertificate: 'optional',
    dataResumption: 'off',
    minVersion: 'TLSv1.2',
    handshakeTimeout: 5_000,
    eof: 'strict',
  }).openSession();
  return (socket, channel) => session.secure(socket, { channel });
}

async function startExpectant(
  isTls: boolean,
): Promise<{ at: Endpoint; server: FtpServer; net: ExpectantNet }> {
  const expectant = new ExpectantNet(isTls ? secureAll() : (socket) => socket);
  const server = new FtpServer(expectant, 'expectant', { PBSZ: say('200 0'), PROT: say('200 P') });
  server.files.set('file', content);
  const { address, port } = await server.listen({ address: ownLoopback(), port: 0 });
  onTestFinished(() => {
    server.close();
    for (const { control } of server.sessions) control.reset();
  });
  return { at: { address, port }, server, net: expectant };
}

const inTls = [
  '--backend-tls=required',
  '--backend-tls-implicit',
  `--backend-tls-ca=${certificate}`,
  '--backend-tls-name=localhost',
];

test.each([
  ['v1', 'passive', 'clear'],
  ['v1', 'active', 'TLS'],
  ['v2', 'passive', 'TLS'],
  ['v2', 'active', 'clear'],
])(
  'a header of %s, with %s data in %s, begins control connections and no file',
  async (version, data, kind) => {
    const expectant = await startExpectant(kind === 'TLS');
    const flags = [`--backend-proxy-protocol=${version}`, `--backend-data=${data}`];
    if (kind === 'TLS') flags.push(...inTls);
    const balancer = await startFtpBalancer([expectant.at], ...flags);
    const clients = [await loginTo(balancer.listener), await loginTo(balancer.listener)];
    for (const client of clients) {
      for (const way of ['EPSV', 'PASV', 'PORT', 'EPRT'] as const) {
        expectant.server.files.delete('copy');
        await upload(client, way, expectant.server);
        await download(client, way);
      }
    }
    const { sessions } = expectant.server;
    expect(sessions.map(({ control }) => control.remote)).toEqual(
      clients.map(({ control }) => control.local),
    );
    expect(expectant.net.destinations).toEqual([balancer.listener, balancer.listener]);
    expect(expectant.net.faults).toEqual([]);
    const verbs = new Set(sessions.flatMap(({ heard }) => heard.map((line) => line.split(' ', 1)[0])));
    expect(
      [...verbs].filter((verb) => !/^(USER|PASS|PBSZ|PROT|EPSV|PORT|STOR|RETR)$/u.test(verb ?? '')),
    ).toEqual([]);
  },
);

test('what a proxy in front has said is told to servers', async () => {
  const expectant = await startExpectant(false);
  const flags = ['--proxy-protocol-from=127.0.0.9', '--backend-proxy-protocol=v2'];
  const balancer = await startFtpBalancer([expectant.at], ...flags);
  const [source, destination] = [
    { address: '2001:db8::1', port: 4_000 },
    { address: '2001:db8::2', port: 21 },
  ];
  const client = await connectTo(balancer.listener, '127.0.0.9');
  client.control.write(encodeProxyHeader(1, source, destination));
  await client.login();
  expect(expectant.server.last.control.remote).toEqual(source);
  const own = await connectTo(balancer.listener, '127.0.0.9');
  own.send('PROXY UNKNOWN');
  await own.login();
  expect(expectant.server.last.control.remote).toEqual(own.control.local);
  expect(expectant.net.destinations).toEqual([destination, balancer.listener]);
});

test('a connection that is passed through unread has one as well', async () => {
  const expectant = await startExpectant(false);
  const flags = ['--ftp-tls=passthrough', '--backend-proxy-protocol=v1'];
  const balancer = await startFtpBalancer([expectant.at], ...flags);
  const client = await loginTo(balancer.listener);
  expect(expectant.server.last.control.remote).toEqual(client.control.local);
  expect(expectant.server.last.heard).toEqual(['USER joe', 'PASS secret']);
});
