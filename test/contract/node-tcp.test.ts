import { networkInterfaces } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { createNodeNet } from '../../src/net/node-net.ts';
import type { TcpWorld } from './net-tcp-scene.ts';
import { tcpContract } from './net-tcp.ts';

const addresses = Object.values(networkInterfaces()).flatMap((infos = []) =>
  infos.map((info) => info.address),
);

function createWorld(): TcpWorld {
  return {
    net: createNodeNet(),
    until: async (condition) => {
      for (const deadline = performance.now() + 10_000; !condition();) {
        if (performance.now() > deadline) throw new Error('what was waited for never happened');
        await sleep(1);
      }
    },
    settle: (work) => work,
    openSockets: () =>
      process.getActiveResourcesInfo().filter((name) => /^TCP(Socket|Server)Wrap$/.test(name)).length,
  };
}

tcpContract({ name: 'node net', family: 4, createWorld });
tcpContract({ name: 'node net', family: 6, createWorld, skip: !addresses.includes('::1') });
