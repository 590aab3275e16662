/** Where clients are listened to and answered from. */
import { randomInt } from 'node:crypto';
import { networkInterfaces } from 'node:os';
import { afterAll, expect, test } from 'vitest';
import type { Endpoint } from '../../src/net/net.ts';
import { startBalancer } from '../helpers/balancer.ts';
import { fetchFile, lacksIpv6, startEmbedded } from '../helpers/embedded.ts';
import { noise } from '../helpers/folders.ts';
import { stopAll } from '../helpers/processes.ts';
import { freePort, ownLoopback } from '../helpers/sockets.ts';
import { describeFlags } from './flags.ts';

const image = noise(2_000);

afterAll(stopAll);

/** Those of this host that need no zone: what is link-local depends on the machine. */
function localAddresses(family: 'IPv4' | 'IPv6'): string[] {
  const infos = Object.values(networkInterfaces()).flatMap((found = []) => found);
  const global = infos.filter((info) => info.family === family && !info.address.startsWith('fe80:'));
  return global.map(({ address }) => address).toSorted();
}

/** Downloads from each listener. Returns from where each was answered. */
async function answersFrom(listeners: readonly Endpoint[]): Promise<Endpoint[]> {
  const answers: Endpoint[] = [];
  for (const listener of listeners) {
    const { bytes, peer } = await fetchFile(listener, 'image');
    expect(bytes).toEqual(image);
    answers.push(peer);
  }
  return answers;
}

const addressesOf = (endpoints: readonly Endpoint[]): string[] => endpoints.map(({ address }) => address);

describeFlags(
  'Addresses',
  {
    vip: () => {
      test('is given for each address, and clients are answered from the one that they wrote to', async () => {
        const vips = ['127.0.0.1', ownLoopback(), ...(lacksIpv6 ? [] : ['::1'])];
        const { listeners } = await startBalancer([startEmbedded({ image })], { vips });
        expect(addressesOf(listeners)).toEqual(vips);
        expect(addressesOf(await answersFrom(listeners))).toEqual(vips);
      });

      test.each(['0.0.0.0', ...(lacksIpv6 ? [] : ['::'])])('may be %s, every local address', async (vip) => {
        const { listeners } = await startBalancer([startEmbedded({ image })], { vips: [vip] });
        const expected = localAddresses(vip === '::' ? 'IPv6' : 'IPv4');
        const global = listeners.filter(({ address }) => !address.startsWith('fe80:'));
        expect(addressesOf(global).toSorted()).toEqual(expected);
        expect(addressesOf(await answersFrom(global))).toEqual(addressesOf(global));
      });
    },

    tftpPort: () => {
      test('is the port of every VIP', async () => {
        const vips = [ownLoopback(), ownLoopback()];
        const port = await freePort('0.0.0.0');
        const flags = [`--tftp-port=${port}`];
        const { listeners } = await startBalancer([startEmbedded({ image })], { vips, flags });
        expect(listeners).toEqual(vips.map((address) => ({ address, port })));
        await answersFrom(listeners);
      });
    },

    singlePort: () => {
      test('answers from the listening port', async () => {
        const { listener } = await startBalancer([startEmbedded({ image })], { flags: ['--single-port'] });
        expect(await answersFrom([listener, listener])).toEqual([listener, listener]);
      });

      test('is off by default: each transfer is answered from a port of its own', async () => {
        const { listener } = await startBalancer([startEmbedded({ image })]);
        const ports = (await answersFrom([listener, listener])).map(({ port }) => port);
        expect(new Set([...ports, listener.port]).size).toBe(3);
      });
    },

    tidPorts: () => {
      test('confines the ports that transfers are answered from', async () => {
        const first = randomInt(20_000, 30_000);
        const flags = [`--tid-ports=${first}-${first + 30}`];
        const { listener } = await startBalancer([startEmbedded({ image })], { flags });
        const ports = (await answersFrom([listener, listener, listener])).map(({ port }) => port);
        expect(new Set(ports).size).toBe(3);
        for (const port of ports) {
          expect(port).toBeGreaterThanOrEqual(first);
          expect(port).toBeLessThanOrEqual(first + 30);
        }
      });
    },
  },
  ['tftp', 'ftp', 'ftpPort'],
);
