import { setTimeout as sleep } from 'node:timers/promises';
import { networkInterfaces } from 'node:os';
import { createNodeNet } from '../../src/net/node-net.ts';
import type { NetWorld } from './net-scene.ts';
import { netContract } from './net.ts';

const addresses = Object.values(networkInterfaces()).flatMap((infos = []) =>
  infos.map((info) => info.address),
);

function createWorld(): NetWorld {
  return {
    net: createNodeNet(),
    until: async (condition) => {
      for (const deadline = performance.now() + 10_000; !condition();) {
        if (performance.now() > deadline) throw new Error('what was waited for never happened');
        await sleep(1);
      }
    },
  };
}

netContract({ name: 'node net', family: 4, createWorld });
netContract({ name: 'node net', family: 6, createWorld, skip: !addresses.includes('::1') });
