/** A host with several addresses, some of which come and go: each client hears from the one that it has asked. */
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Told } from '../helpers/ask.ts';
import type { Balancer } from '../helpers/balancer.ts';
import { cleanUp } from '../helpers/clean-up.ts';
import { clientNames, get, put } from '../helpers/clients.ts';
import { noise, sha256 } from '../helpers/folders.ts';
import { hostsObstacle, lacksHosts } from '../helpers/hosts.ts';
import { Network, variants, vips } from '../helpers/network.ts';
import { lacks } from '../helpers/peers.ts';
import { Program, run, until } from '../helpers/processes.ts';

const asking = fileURLToPath(new URL('../helpers/ask.ts', import.meta.url));
const node = { program: process.execPath, env: {} };
const image = noise(3_000);
const long = noise(400_000, 'long');
/** Comes and goes. */
const passing = '192.0.2.9';
/** More than twice the time between two looks at the addresses of the host, and some for a busy machine. */
const patience = 25_000;
/** For four balancers. Milliseconds. */
const startPatience = 90_000;

afterAll(cleanUp);

const toldBy = ({ stdout }: { readonly stdout: string }): Told => JSON.parse(stdout) as Told;
const isLong = ({ file }: { readonly file: string }): boolean => file === 'long';

describe.skipIf(lacksHosts)(
  `listening on all addresses, ${hostsObstacle ?? 'on a network of its own'}`,
  () => {
    let network: Network;
    const balancers: { readonly name: string; readonly port: number; readonly balancer: Balancer }[] = [];

    beforeAll(async () => {
      network = await Network.open({ image, long });
      for (const { name, port, flags } of variants) {
        const options = { vips: ['0.0.0.0', '::'], flags: [...flags, `--tftp-port=${port}`] };
        balancers.push({ name, port, balancer: await network.balance(options) });
      }
    }, startPatience);

    /** Reads a file from every balancer with a client that listens to everybody. */
    async function readAt(address: string): Promise<void> {
      const reads = balancers.map(async ({ name, port }) => {
        const exit = await run(node, [asking, address, String(port), 'image'], { host: network.client });
        expect(exit, name).toMatchObject({ code: 0, stderr: '' });
        const { sha256: hash, sources } = toldBy(exit);
        expect(hash, name).toBe(sha256(image));
        expect(sources, name).toHaveLength(1);
        const [from, answering] = sources[0]?.split(' ') ?? [];
        expect(from, name).toBe(address);
        expect(Number(answering) === port, name).toBe(name.includes('--single-port'));
      });
      await Promise.all(reads);
    }

    /** Waits until every balancer has told this of the address that comes and goes, so many times in all. */
    async function toldByAll(event: string, count: number): Promise<void> {
      for (const { name, port, balancer } of balancers) {
        const fields = { event, listener: `${passing}:${port}` };
        await until(`${name}: ${event}`, () => balancer.saidTimes(fields) === count || undefined, patience);
      }
    }

    test.each(vips)('a client hears from %s alone if it has asked there', (vip) => readAt(vip));

    describe.each(clientNames)('%s', (client) => {
      test.skipIf(lacks(client))('transfers at addresses that are not the first', async () => {
        const transfers = balancers.flatMap(({ port, balancer }) =>
          ['192.0.2.2', '2001:db8::2'].map(async (address, at) => {
            const there = { address, port, host: network.client };
            expect(await get(client, { ...there, file: 'image' })).toEqual(image);
            const file = `by-${client}-${port}-${at}`;
            await put(client, { ...there, file }, image);
            const { vip } = await balancer.said({ event: 'session.end', file, op: 'write' });
            expect(vip).toContain(address);
            expect(await get(client, { ...there, file })).toEqual(image);
          }),
        );
        await Promise.all(transfers);
      });
    });

    test(
      'an address that comes, goes and comes back is served, and transfers at another one are not disturbed',
      { timeout: 4 * patience },
      async () => {
        const slow = balancers.map(({ name, port, balancer }) => {
          const args = [asking, '192.0.2.1', String(port), 'long', '100'];
          return { name, balancer, reading: new Program(node, args, { host: network.client }) };
        });
        await network.balancer.sh(`ip address add ${passing}/24 dev vips`);
        await toldByAll('listener.up', 1);
        await readAt(passing);
        await network.balancer.sh(`ip address del ${passing}/24 dev vips`);
        await toldByAll('listener.down', 1);
        await network.balancer.sh(`ip address add ${passing}/24 dev vips`);
        await toldByAll('listener.up', 2);
        await readAt(passing);

        for (const { name, balancer, reading } of slow) {
          expect(balancer.sessions().some(isLong), `${name} is in the middle of it`).toBe(false);
          reading.signal('SIGUSR2');
          const exit = await reading.ended;
          expect(exit, name).toMatchObject({ code: 0, stderr: '' });
          expect(toldBy(exit), name).toMatchObject({ sha256: sha256(long), sources: [expect.anything()] });
          await balancer.said({ event: 'session.end', file: 'long' });
          const ends = balancer.sessions().filter(isLong);
          expect(ends, name).toMatchObject([{ result: 'ok', tries: 1 }]);
        }
      },
    );
  },
);
