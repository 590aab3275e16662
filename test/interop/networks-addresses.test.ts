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
import { Program, run } from '../helpers/processes.ts';

const asking = fileURLToPath(new URL('../helpers/ask.ts', import.meta.url));
const image = noise(3_000);
const long = noise(400_000, 'long');
/** More than twice the time between two looks at the addresses of the host, and some for a busy machine. */
const patience = 25_000;
const node = { program: process.execPath, env: {} };

afterAll(cleanUp);

describe.skipIf(lacksHosts)(
  `listening on all addresses, ${hostsObstacle ?? 'on a network of its own'}`,
  () => {
    let network: Network;
    let balancers: readonly { name: string; port: number; balancer: Balancer }[];

    beforeAll(async () => {
      network = await Network.open({ image, long });
      balancers = await Promise.all(
        variants.map(async ({ name, port, flags }) => {
          const options = { vips: ['0.0.0.0', '::'], flags: [...flags, `--tftp-port=${port}`] };
          return { name, port, balancer: await network.balance(options) };
        }),
      );
    });

    /** Reads a file with a client that listens to everybody. */
    async function ask(address: string, port: number, file: string): Promise<Told> {
      const exit = await run(node, [asking, address, String(port), file], { host: network.client });
      expect(exit).toMatchObject({ code: 0, stderr: '' });
      return JSON.parse(exit.stdout) as Told;
    }

    function checkTold(told: Told, address: string, port: number, name: string): void {
      expect(told.sha256, name).toBe(sha256(image));
      expect(told.sources, name).toHaveLength(1);
      const [from, answering] = told.sources[0]?.split(' ') ?? [];
      expect(from, name).toBe(address);
      if (name.includes('--single-port')) expect(Number(answering), name).toBe(port);
      else expect(Number(answering), name).not.toBe(port);
    }

    async function asked(address: string): Promise<void> {
      await Promise.all(
        balancers.map(async ({ name, port }) =>
          checkTold(await ask(address, port, 'image'), address, port, name),
        ),
      );
    }

    test.each(vips)('a client hears from %s alone if it has asked there', (vip) => asked(vip));

    describe.skipIf(lacks(...clientNames))('real clients', () => {
      test.each(clientNames)('%s transfers at each address', async (client) => {
        for (const { port, balancer } of balancers) {
          for (const address of vips) {
            const there = { address, port, host: network.client };
            expect(await get(client, { ...there, file: 'image' })).toEqual(image);
            const file = `by-${client}-at-${port}-${address}`;
            await put(client, { ...there, file }, image);
            const { vip } = await balancer.said({ event: 'session.end', file });
            expect(vip).toContain(address);
            expect(await get(client, { ...there, file })).toEqual(image);
          }
        }
      });
    });

    test(
      'an address that comes, goes and comes back is served, and transfers at another one are not disturbed',
      { timeout: 4 * patience },
      async () => {
        const steady = balancers.map(
          ({ port }) =>
            new Program(node, [asking, '192.0.2.1', String(port), 'long', '100'], { host: network.client }),
        );
        const all = async (event: string, count: number): Promise<void> => {
          await Promise.all(
            balancers.map(({ port, balancer }) =>
              expect
                .poll(
                  () =>
                    balancer
                      .lines()
                      .filter((line) => line.listener === `192.0.2.9:${port}` && line.event === event).length,
                  { timeout: patience },
                )
                .toBe(count),
            ),
          );
        };
        await network.balancer.sh('ip address add 192.0.2.9/24 dev vips');
        await all('listener.up', 1);
        await asked('192.0.2.9');
        await network.balancer.sh('ip address del 192.0.2.9/24 dev vips');
        await all('listener.down', 1);
        await network.balancer.sh('ip address add 192.0.2.9/24 dev vips');
        await all('listener.up', 2);
        await asked('192.0.2.9');

        for (const [n, { name, balancer }] of balancers.entries()) {
          const isLong = ({ file }: { file: string }): boolean => file === 'long';
          expect(balancer.sessions().some(isLong), `${name} is in the middle of it`).toBe(false);
          steady[n]?.signal('SIGUSR2');
          const exit = await steady[n]?.ended;
          expect(exit, name).toMatchObject({ code: 0, stderr: '' });
          const told = JSON.parse(exit?.stdout ?? '') as Told;
          expect([told.sha256, told.sources.length], name).toEqual([sha256(long), 1]);
          await balancer.said({ event: 'session.end', file: 'long' });
          const ends = balancer.sessions().filter(isLong);
          expect(ends, name).toMatchObject([{ result: 'ok', tries: 1, repeats: 0 }]);
        }
      },
    );
  },
);
