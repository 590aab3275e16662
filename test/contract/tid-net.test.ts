import { MemoryNet } from '../../src/net/memory-net.ts';
import { withOwnTids } from '../../src/net/own-tids.ts';
import type { TidNet } from '../../src/net/tids.ts';
import { tidNets } from '../helpers/tid-nets.ts';
import type { World } from './net-scene.ts';
import { hasIpv6, realWorld } from './real-world.ts';
import { tidNetContract } from './tid-net.ts';

function createMemoryWorld(): World<TidNet> {
  const memory = new MemoryNet({ seed: 1 });
  return {
    net: withOwnTids(memory.host(['127.0.0.1', '::1', '127.0.0.2', 'fd00::2'])),
    until: async (condition) => {
      if (!memory.runUntil(condition)) throw new Error('what was waited for never happened');
    },
  };
}

for (const family of [4, 6] as const) {
  tidNetContract({
    name: 'TIDs of their own on the memory net',
    family,
    createWorld: createMemoryWorld,
  });
  for (const kind of tidNets) {
    const createWorld = (): World<TidNet> => {
      const opened = kind.open();
      return realWorld(opened.net, () => opened.close());
    };
    const skip = kind.isSkipped || (family === 6 && !hasIpv6);
    tidNetContract({ name: kind.name, family, createWorld, skip });
  }
}
