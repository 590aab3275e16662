/** Every real client, through the balancer, to every real server: the contents must be the same on both sides. */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { startBalancer, type Balancer } from '../helpers/balancer.ts';
import { cleanUp } from '../helpers/clean-up.ts';
import {
  canAsk,
  clientNames,
  clientSpecs,
  get,
  notFound,
  put,
  type ClientName,
  type Request,
} from '../helpers/clients.ts';
import { serverNames, serverSpecs, startServer, type Server, type ServerName } from '../helpers/daemons.ts';
import { noise, publish, sha256 } from '../helpers/folders.ts';
import { lacks } from '../helpers/peers.ts';
import { until } from '../helpers/processes.ts';

const blksizes = [undefined, 8, 512, 1428, 8192, 65_464];
/** The last one is an exact multiple of the block. */
const sizesFor = (blksize = 512): number[] => [0, 1, 511, 512, 513, 3 * blksize];
const contentOf = (size: number): Buffer => noise(size, `file of ${size}`);
const text = Buffer.from('one\ntwo\r\nthree\rfour\n');

/** atftpd refuses to send an OACK that is longer than a block, and curl always asks for three options. */
function refusesBlksize(server: ServerName, client: ClientName, blksize: number | undefined): boolean {
  return server === 'atftpd' && client === 'curl' && blksize === 8;
}

afterAll(cleanUp);

const modes = ['--no-single-port', '--single-port'];
const pairs = serverNames.flatMap((server) => modes.map((mode) => ({ server, mode })));

for (const { server, mode } of pairs) {
  const spec = serverSpecs[server];
  describe.skipIf(lacks(spec.peer))(`${server} with ${mode}`, () => {
    let servers: Server[] = [];
    let balancer: Balancer;
    let uploads = 0;

    beforeAll(async () => {
      servers = await Promise.all([startServer(server), startServer(server)]);
      for (const { root } of servers) {
        for (const size of blksizes.flatMap(sizesFor)) publish(root, `file-${size}`, contentOf(size));
        publish(root, 'text', text);
      }
      balancer = await startBalancer(servers, { vips: ['127.0.0.1', '::1'], flags: [mode] });
    });

    afterEach(({ task }) => {
      if (task.result?.state === 'fail') console.error(balancer.program.stdout.slice(-4_000));
    });

    afterAll(async () => {
      await Promise.all([...servers, balancer].map(({ program }) => program.stop()));
    });

    /** Waits until one of the servers has `file` with this content: some write the last block after its ACK. */
    async function expectStored(file: string, content: Buffer): Promise<void> {
      const copies = servers.map(({ root }) => path.join(root, file));
      await until(`a server has ${content.length} bytes in ${file}`, () => {
        const stored = copies.filter((copy) => existsSync(copy));
        return stored.length === 1 && stored.every((copy) => readFileSync(copy).equals(content))
          ? true
          : undefined;
      });
    }

    async function upload(
      client: ClientName,
      content: Buffer,
      asked: Pick<Request, 'mode' | 'blksize'>,
    ): Promise<void> {
      uploads += 1;
      const file = `upload-${uploads}`;
      await put(client, { ...balancer.listener, file, ...asked }, content);
      await expectStored(file, content);
    }

    for (const client of clientNames) {
      const { refusesEmpty, netascii } = clientSpecs[client];
      const asked = blksizes.filter(
        (blksize) => canAsk(client, blksize) && !refusesBlksize(server, client, blksize),
      );

      describe.skipIf(lacks(client))(client, () => {
        test.for(asked)('downloads with blksize %s', async (blksize) => {
          for (const size of sizesFor(blksize)) {
            if (size === 0 && blksize !== undefined && refusesEmpty) continue;
            const received = await get(client, { ...balancer.listener, file: `file-${size}`, blksize });
            expect(sha256(received), `${size} bytes`).toBe(sha256(contentOf(size)));
          }
        });

        test('downloads over IPv6 from a server on IPv4', async () => {
          const [, ipv6] = balancer.listeners;
          const received = await get(client, { address: '::1', port: ipv6?.port ?? 0, file: 'file-513' });
          expect(sha256(received)).toBe(sha256(contentOf(513)));
        });

        test('hears that a file is not there', async () => {
          await expect(get(client, { ...balancer.listener, file: 'absent' })).rejects.toSatisfy(notFound);
        });

        if (spec.writes) {
          test.for(asked)('uploads with blksize %s', async (blksize) => {
            for (const size of sizesFor(blksize)) await upload(client, contentOf(size), { blksize });
          });
        }

        if (netascii) {
          test('downloads text in netascii', async () => {
            const received = await get(client, { ...balancer.listener, file: 'text', mode: 'netascii' });
            expect(received).toEqual(text);
          });
        }

        if (netascii && spec.writes) {
          test('uploads text in netascii', () => upload(client, text, { mode: 'netascii' }));
        }
      });
    }

    test.skipIf(lacks('curl'))('shares the requests evenly', async () => {
      for (let request = 0; request < 3; request += 1)
        await get('curl', { ...balancer.listener, file: 'file-1' });
      await balancer.ended(3);
      const { b0 = 0, b1 = 0, ...others } = balancer.shares();
      expect(Math.abs(b0 - b1)).toBeLessThanOrEqual(1);
      expect(others).toEqual({});
    });
  });
}
