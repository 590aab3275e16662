import { MemoryNet } from '../../src/net/memory-net.ts';
import type { TcpWorld } from './net-tcp-scene.ts';
import { tcpContract } from './net-tcp.ts';

function createWorld(): TcpWorld {
  const memory = new MemoryNet({ seed: 1 });
  return {
    net: memory.host(['127.0.0.1', '::1']),
    until: async (condition) => {
      if (!memory.runUntil(condition)) throw new Error('what was waited for never happened');
    },
    settle: (work) => memory.play(work),
    openSockets: () => memory.openSockets,
  };
}

tcpContract({ name: 'memory net', family: 4, createWorld });
tcpContract({ name: 'memory net', family: 6, createWorld });
