import { setTimeout as sleep } from 'node:timers/promises';
import { networkInterfaces } from 'node:os';
import type { Net } from '../../src/net/net.ts';
import type { AnyNet, World } from './net-scene.ts';
import type { TcpWorld } from './net-tcp-scene.ts';

/** Whether this host has the IPv6 loopback address. */
export const hasIpv6: boolean = Object.values(networkInterfaces()).some((infos = []) =>
  infos.some(({ address }) => address === '::1'),
);

/** Throws if `condition` does not hold within ten seconds. */
export async function until(condition: () => boolean): Promise<void> {
  for (const deadline = performance.now() + 10_000; !condition();) {
    if (performance.now() > deadline) throw new Error('what was waited for never happened');
    await sleep(1);
  }
}

/** Listeners and connections of TCP that this thread has open. */
export function openTcpSockets(): number {
  return process.getActiveResourcesInfo().filter((name) => /^TCP(Socket|Server)Wrap$/.test(name)).length;
}

/** This host, in the time that passes by itself. */
export function realWorld<Kind extends AnyNet>(net: Kind, close?: () => void): World<Kind> {
  return {
    net,
    until,
    ...(close && { close }),
  };
}

/** The same for contracts of TCP. */
export function realTcpWorld(net: Net): TcpWorld {
  return { net, until, settle: (work) => work, openSockets: openTcpSockets };
}
