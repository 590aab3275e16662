import { setTimeout as sleep } from 'node:timers/promises';
import { networkInterfaces } from 'node:os';
import type { AnyNet, World } from './net-scene.ts';

/** Whether this host has the IPv6 loopback address. */
export const hasIpv6: boolean = Object.values(networkInterfaces()).some((infos = []) =>
  infos.some(({ address }) => address === '::1'),
);

/** This host, in the time that passes by itself. */
export function realWorld<Kind extends AnyNet>(net: Kind, close?: () => void): World<Kind> {
  return {
    net,
    until: async (condition) => {
      for (const deadline = performance.now() + 10_000; !condition();) {
        if (performance.now() > deadline) throw new Error('what was waited for never happened');
        await sleep(1);
      }
    },
    ...(close && { close }),
  };
}
