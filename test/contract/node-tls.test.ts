import { connect } from 'node:tls';
import { createNodeNet } from '../../src/net/node-net.ts';
import { openTlsSocket } from '../../src/net/node-tls-open.ts';
import { createNodeTlsServer } from '../../src/net/node-tls-server.ts';
import type { Net } from '../../src/net/net.ts';
import type { TcpSocket } from '../../src/net/tcp.ts';
import type { TlsUse, TlsVersion } from '../../src/net/tls.ts';
import { makeKeyPair } from '../helpers/certificates.ts';
import { tcpSocketContract } from './net-tcp.ts';
import { realTcpWorld } from './real-world.ts';

const { certificate, key } = makeKeyPair();
const rules = { handshakeTimeout: 10_000, eof: 'strict' } as const;

/** A connection of this version as a client, when its handshake is done: our own clients take the newest. */
async function secure(socket: TcpSocket, net: Net, version: TlsVersion): Promise<TcpSocket> {
  const { promise, resolve } = Promise.withResolvers<string | null>();
  const secured = openTlsSocket(
    socket,
    {
      doneEvent: 'secureConnect',
      begin: (transport) =>
        connect({ socket: transport, host: 'localhost', ca: certificate, maxVersion: version }),
      onDone: (tls) => resolve(tls.getProtocol()),
    },
    { clock: net, ...rules },
  );
  const found = await promise;
  if (found !== version) throw new Error(`the connection is one of ${found}`);
  return secured;
}

/** Not of Node's own kind, so that TLS cannot be taken off it: as all are where Node has no way to do that. */
function undetachable(socket: TcpSocket): TcpSocket {
  return new Proxy(socket, {
    getPrototypeOf: () => null,
    get: (target, name) => {
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

/** What becomes of the connections that are accepted. */
interface Kind {
  readonly name: string;
  readonly use?: TlsUse;
  readonly beneath?: (socket: TcpSocket) => TcpSocket;
}

const kinds: readonly Kind[] = [
  { name: '' },
  { name: ', for writing', use: 'write' },
  { name: ', for writing, where TLS stays on', use: 'write', beneath: undetachable },
];

/** A net whose connections are all under TLS, and have done their handshake. */
function createTlsNet(version: TlsVersion, { use, beneath = (socket) => socket }: Kind): Net {
  const net = createNodeNet();
  const server = createNodeTlsServer(net, {
    ...rules,
    minVersion: 'TLSv1.2',
    keyPairs: [{ certificate, key }],
    clientCa: undefined,
    clientCertificate: 'optional',
    dataResumption: 'off',
  });
  return {
    ...net,
    listenTcp: (at, handlers) =>
      net.listenTcp(at, {
        ...handlers,
        onConnection: (socket) => {
          // What the handshake itself writes has gone then.
          const onSecure = (): unknown => setImmediate(() => handlers.onConnection(secured));
          const options = { channel: 'control', onSecure, ...(use && { use }) } as const;
          const secured = server.openSession().secure(beneath(socket), options);
        },
      }),
    connectTcp: async (to, options) => secure(await net.connectTcp(to, options), net, version),
  };
}

for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
  for (const kind of kinds) {
    tcpSocketContract({
      name: `${version}${kind.name}`,
      family: 4,
      createWorld: () => ({ ...realTcpWorld(createTlsNet(version, kind)), isEndProven: true }),
    });
  }
}
