/** Servers that see the clients' addresses, on hosts that were set up by the commands in docs/operations.md. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Balancer } from '../helpers/balancer.ts';
import { cleanUp } from '../helpers/clean-up.ts';
import { clientNames, get, put } from '../helpers/clients.ts';
import { noise } from '../helpers/folders.ts';
import { hostsObstacle, lacksHosts } from '../helpers/hosts.ts';
import { clientAddress, clientAddress6, Network } from '../helpers/network.ts';
import { lacks } from '../helpers/peers.ts';
import { run } from '../helpers/processes.ts';
import { isLinuxSkipped } from '../helpers/tid-nets.ts';

const image = noise(3_000);
const large = noise(200_000, 'large');
const cli = path.join(import.meta.dirname, '../../src/cli.ts');
const operations = readFileSync(path.join(import.meta.dirname, '../../docs/operations.md'), 'utf8');
const [, section = ''] = operations.split('\n### Transparent\n');
/** The shell blocks of the section, in their order. */
const [onServers = '', onBalancer = ''] = [...section.matchAll(/```sh\n(.*?)```/gs)].map(
  ([, block]) => block,
);

afterAll(cleanUp);

const place = hostsObstacle ?? 'on a network of its own';
describe.skipIf(lacksHosts || isLinuxSkipped)(`--transparent, ${place}`, () => {
  let network: Network;
  let balancer: Balancer | undefined;

  beforeAll(async () => {
    network = await Network.open({ image, large });
    // As distributions have it: what could not come from where it came is dropped.
    const strictly = 'for filter in /proc/sys/net/ipv4/conf/*/rp_filter; do echo 1 > $filter; done';
    await network.balancer.sh(strictly);
    await network.servers.sh(strictly);
    await network.servers.sh(`set -e\n${onServers}`);
    await network.balancer.sh(`set -e\n${onBalancer}`);
  });

  afterEach(async () => {
    await balancer?.program.stop();
  });

  /** Who asked the servers for a file, by what they have printed. */
  function askers(file: string): string[] {
    const lines = network.serving.stdout.split('\n').filter((line) => line.includes(`"${file}"`));
    return lines.map((line) => /^asked by (\S+): /.exec(line)?.[1] ?? line);
  }

  async function start(...flags: readonly string[]): Promise<Balancer> {
    balancer = await network.balance({
      vips: ['192.0.2.1', '2001:db8::1'],
      flags: ['--tftp-port=69', '--engine=linux', ...flags],
    });
    return balancer;
  }

  test.skipIf(lacks('curl'))('without it, servers see the balancer', async () => {
    await start();
    const request = { address: '192.0.2.1', port: 69, host: network.client };
    expect(await get('curl', { ...request, file: 'image' })).toEqual(image);
    expect(askers('image')).toEqual(['198.51.100.1']);
  });

  describe.each(['--no-single-port', '--single-port'])('%s', (mode) => {
    test.skipIf(lacks(...clientNames))('servers see the client, which downloads and uploads', async () => {
      const { program } = await start('--transparent', mode);
      for (const client of clientNames) {
        const request = { address: '192.0.2.1', port: 69, host: network.client };
        const file = `by-${client}${mode}`;
        await put(client, { ...request, file }, image);
        expect(await get(client, { ...request, file })).toEqual(image);
        expect(askers(file)).toEqual([clientAddress, clientAddress]);
      }
      expect(program.exit).toBeUndefined();
    });

    test.skipIf(lacks('curl'))('so too with blocks that need many packets', async () => {
      await start('--transparent', mode);
      const request = { address: '192.0.2.1', port: 69, blksize: 65_464, host: network.client };
      const file = `large${mode}`;
      await put('curl', { ...request, file }, large);
      expect(await get('curl', { ...request, file })).toEqual(large);
      expect(askers(file)).toEqual([clientAddress, clientAddress]);
    });
  });

  test.skipIf(lacks('curl'))('so too over IPv6, and the balancer where the families differ', async () => {
    const behind = [{ address: '2001:db8:1::11', port: 69 }];
    const flags = ['--tftp-port=69', '--engine=linux', '--transparent'];
    balancer = await network.balance({ vips: ['192.0.2.1', '2001:db8::1'], flags, behind });
    for (const [n, address] of ['2001:db8::1', '192.0.2.1'].entries()) {
      const request = { address, port: 69, file: `six-${n}`, host: network.client };
      await put('curl', request, image);
      expect(await get('curl', request)).toEqual(image);
    }
    expect([askers('six-0'), askers('six-1')]).toEqual([
      [clientAddress6, clientAddress6],
      ['2001:db8:1::1', '2001:db8:1::1'],
    ]);
  });

  test.skipIf(lacks('curl'))('a server that refuses is passed over at once, as ever', async () => {
    const behind = [
      { address: '198.51.100.11', port: 7_777 },
      { address: '198.51.100.12', port: 69 },
    ];
    // Longer than the client waits, so that nothing but the refusal can lead to the other server.
    const flags = [
      '--tftp-port=69',
      '--engine=linux',
      '--transparent',
      '--try-interval=60s',
      '--log-level=debug',
    ];
    balancer = await network.balance({ behind, flags });
    const request = { address: '192.0.2.1', port: 69, host: network.client };
    expect(await get('curl', { ...request, file: 'image' })).toEqual(image);
    expect(await get('curl', { ...request, file: 'large' })).toEqual(large);
    await balancer.ended(2);
    expect(await balancer.said({ event: 'session.failover' })).toMatchObject({
      reason: 'refused',
      from: 'b0',
    });
  });

  test('without the capability it says what is missing', async () => {
    const args = ['--vip=192.0.2.1', '--no-ftp', '--backend=198.51.100.11', '--no-admin'];
    const lost = '-net_admin,-net_raw';
    const without = [`--inh-caps=${lost}`, `--bounding-set=${lost}`, process.execPath, cli];
    const setpriv = { program: 'setpriv', env: {} };
    const exit = await run(setpriv, [...without, ...args, '--engine=linux', '--transparent'], {
      host: network.balancer,
    });
    expect(exit).toMatchObject({
      code: 2,
      stdout: '',
      stderr: 'tftp-lb: --transparent needs the capability CAP_NET_ADMIN or CAP_NET_RAW\n',
    });
  });
});
