import { setTimeout as sleep } from 'node:timers/promises';
import { createNodeNet } from '../../src/net/node-net.ts';
import { createNodeTlsClient } from '../../src/net/node-tls-client.ts';
import { createNodeTlsServer } from '../../src/net/node-tls-server.ts';
import type { Net } from '../../src/net/net.ts';
import type { TlsUse, TlsVersion } from '../../src/net/tls.ts';
import { makeKeyPair } from '../helpers/certificates.ts';
import type { TcpWorld } from './net-tcp-scene.ts';
import { tcpSocketContract } from './net-tcp.ts';

const keyPair = makeKeyPair();

/** A net whose connections are all under TLS, and have done their handshake. Those that are accepted are for `use`. */
function createTlsNet(version: TlsVersion, use?: TlsUse): Net {
  const net = createNodeNet();
  const rules = {
    minVersion: version,
    maxVersion: version,
    handshakeTimeout: 10_000,
    eof: 'strict',
  } as const;
  const client = createNodeTlsClient(net, { ...rules, ca: keyPair.certificate, isVerified: true });
  const server = createNodeTlsServer(net, {
    ...rules,
    keyPairs: [keyPair],
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
          const secured = server.openSession().secure(socket, options);
        },
      }),
    connectTcp: async (to, options) => {
      const socket = await net.connectTcp(to, options);
      const { promise, resolve } = Promise.withResolvers<void>();
      const secured = client
        .openSession('localhost')
        .secure(socket, { channel: 'control', onSecure: () => resolve() });
      await promise;
      return secured;
    },
  };
}

function createWorld(version: TlsVersion, use?: TlsUse): TcpWorld {
  return {
    net: createTlsNet(version, use),
    until: async (condition) => {
      for (const deadline = performance.now() + 10_000; !condition();) {
        if (performance.now() > deadline) throw new Error('what was waited for never happened');
        await sleep(1);
      }
    },
    isEndProven: true,
    settle: (work) => work,
    openSockets: () =>
      process.getActiveResourcesInfo().filter((name) => /^TCP(Socket|Server)Wrap$/.test(name)).length,
  };
}

for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
  tcpSocketContract({ name: version, family: 4, createWorld: () => createWorld(version) });
  tcpSocketContract({
    name: `${version}, for writing`,
    family: 4,
    createWorld: () => createWorld(version, 'write'),
  });
}
