/** Where clients are listened to and answered from. */
import { randomInt } from 'node:crypto';
import { networkInterfaces } from 'node:os';
import { afterAll, expect, test } from 'vitest';
import { formatEndpoint, type Endpoint } from '../../src/net/net.ts';
import { Balancer, endpointOf, startBalancer } from '../helpers/balancer.ts';
import { fetchFile, lacksIpv6, startEmbedded } from '../helpers/embedded.ts';
import { noise } from '../helpers/folders.ts';
import { tcpPortsOf, udpPortsOf } from '../helpers/kernel.ts';
import { stopAll } from '../helpers/processes.ts';
import { freePort, ownLoopback } from '../helpers/sockets.ts';
import { startTftpLb } from './cli.ts';
import { describeFlags } from './flags.ts';
import { connectTo, startFtpBalancer, startFtpServer } from './ftp.ts';

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

async function servicesOf(balancer: Balancer): Promise<string[]> {
  return (await balancer.status()).services.map(({ kind }) => kind);
}

const addressesOf = (endpoints: readonly Endpoint[]): string[] => endpoints.map(({ address }) => address);

describeFlags('Addresses', {
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

  tftp: () => {
    test('--no-tftp leaves FTP alone', async () => {
      const balancer = await startFtpBalancer([await startFtpServer()]);
      expect(await servicesOf(balancer)).toEqual(['ftp']);
      expect(udpPortsOf(balancer.program.pid ?? 0)).toEqual([]);
      expect(await (await connectTo(balancer.listener)).line()).toBe('220 server ready');
    });
  },

  ftp: () => {
    test('--no-ftp leaves TFTP alone', async () => {
      const balancer = await startBalancer([startEmbedded({ image })], { flags: ['--no-admin'] });
      expect(tcpPortsOf(balancer.program.pid ?? 0)).toEqual([]);
      await answersFrom([balancer.listener]);
    });

    test('is on by default, beside TFTP', async () => {
      const [tftp, ftp] = [startEmbedded({ image }), await startFtpServer()];
      const program = startTftpLb([
        '--vip=127.0.0.1',
        '--tftp-port=0',
        '--ftp-port=0',
        `--tftp-backend=${formatEndpoint(tftp.address, tftp.port)}`,
        `--ftp-backend=${formatEndpoint(ftp.address, ftp.port)}`,
        '--health-interval=0',
        '--admin=127.0.0.1:0',
      ]);
      const balancer = new Balancer(program, ['127.0.0.1']);
      await balancer.said({ msg: 'serving' });
      expect(await servicesOf(balancer)).toEqual(['tftp', 'ftp']);
      const listenerOf = async (service: string): Promise<Endpoint> =>
        endpointOf(String((await balancer.said({ event: 'listener.up', service })).listener));
      await answersFrom([await listenerOf('tftp')]);
      expect(await (await connectTo(await listenerOf('ftp'))).line()).toBe('220 server ready');
    });
  },

  ftpPort: () => {
    test('is the port of every VIP', async () => {
      const vips = [ownLoopback(), ownLoopback()];
      const port = await freePort('0.0.0.0');
      const flags = [`--ftp-port=${port}`];
      const { listeners } = await startBalancer([await startFtpServer()], { protocol: 'ftp', vips, flags });
      expect(listeners).toEqual(vips.map((address) => ({ address, port })));
      for (const listener of listeners) {
        expect(await (await connectTo(listener)).line()).toBe('220 server ready');
      }
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
});
