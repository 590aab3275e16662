/** Connections behind a proxy keep what all connections keep. */
import { MemoryNet } from '../../src/net/memory-net.ts';
import type { Net } from '../../src/net/net.ts';
import { createNodeNet } from '../../src/net/node-net.ts';
import { readProxyHeader } from '../../src/net/proxied-socket.ts';
import { encodeProxyHeader } from '../../src/net/proxy-header.ts';
import { TcpEar, type TcpWorld } from './net-tcp-scene.ts';
import { tcpSocketContract } from './net-tcp.ts';
import { realTcpWorld } from './real-world.ts';

/** A net whose connections all begin with a header, which both ends have behind them. */
function behindProxy(net: Net): Net {
  return {
    ...inherited(net),
    listenTcp: (at, handlers) =>
      net.listenTcp(at, {
        ...handlers,
        onConnection: (socket) => {
          const onClient = handlers.onConnection.bind(handlers);
          readProxyHeader(socket, net, 10_000, { onClient, onFault, onGone: () => undefined });
        },
      }),
    connectTcp: async (to, options) => {
      const socket = await net.connectTcp(to, options);
      socket.handle(new TcpEar());
      socket.write(encodeProxyHeader(2, socket.local, socket.remote));
      return socket;
    },
  };
}

const onFault = (error: Error): void => {
  throw error;
};

const none = (): never => {
  throw new Error('not needed here');
};

/** What the contract asks for beside connections. */
function inherited(net: Net): Net {
  return {
    now: () => net.now(),
    setTimer: (delay, callback) => net.setTimer(delay, callback),
    random: () => net.random(),
    localAddresses: () => net.localAddresses(),
    bindUdp: none,
    openTid: none,
    mtuOf: none,
    lookup: none,
    listenTcp: none,
    connectTcp: none,
  };
}

const createRealWorld = (): TcpWorld => realTcpWorld(behindProxy(createNodeNet()));

function createMemoryWorld(): TcpWorld {
  const memory = new MemoryNet({ seed: 1 });
  return {
    net: behindProxy(memory.host(['127.0.0.1', '::1'])),
    until: async (condition) => {
      if (!memory.runUntil(condition)) throw new Error('what was waited for never happened');
    },
    settle: (work) => memory.play(work),
    openSockets: () => memory.openSockets,
  };
}

tcpSocketContract({ name: 'node net behind a proxy', family: 4, createWorld: createRealWorld });
tcpSocketContract({ name: 'memory net behind a proxy', family: 6, createWorld: createMemoryWorld });
