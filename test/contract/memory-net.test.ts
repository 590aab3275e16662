import { MemoryNet } from '../../src/net/memory-net.ts';
import type { NetWorld } from './net-scene.ts';
import { netContract } from './net.ts';

function createWorld(): NetWorld {
  const memory = new MemoryNet({ seed: 1 });
  memory.names.set('localhost', ['127.0.0.1', '::1']);
  return {
    net: memory.host(['127.0.0.1', '::1']),
    until: async (condition) => {
      if (!memory.runUntil(condition)) throw new Error('what was waited for never happened');
    },
  };
}

netContract({ name: 'memory net', family: 4, createWorld });
netContract({ name: 'memory net', family: 6, createWorld });
