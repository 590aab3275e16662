/** Files of more than 65,535 blocks, after which block numbers begin again, and windows (RFC 7440). */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { startBalancer } from '../helpers/balancer.ts';
import { cleanUp } from '../helpers/clean-up.ts';
import { get, put, type ClientName } from '../helpers/clients.ts';
import { serverSpecs, startServer, type ServerName } from '../helpers/daemons.ts';
import { noise, publish, sha256 } from '../helpers/folders.ts';
import { lacks } from '../helpers/peers.ts';
import { stopAll, until } from '../helpers/processes.ts';

interface Pair {
  readonly client: ClientName;
  readonly server: ServerName;
  readonly blksize: number;
  readonly windowsize?: number;
  readonly mode: '--single-port' | '--no-single-port';
}

const blocks = 65_540;
const patience = 60_000;

const downloads: readonly Pair[] = [
  { client: 'curl', server: 'tftpd-hpa', blksize: 8, mode: '--no-single-port' },
  { client: 'busybox', server: 'dnsmasq', blksize: 64, mode: '--single-port' },
  { client: 'atftp', server: 'atftpd', blksize: 32, windowsize: 16, mode: '--no-single-port' },
];

const uploads: readonly Pair[] = [
  { client: 'curl', server: 'tftpd-hpa', blksize: 8, mode: '--single-port' },
  { client: 'atftp', server: 'atftpd', blksize: 32, windowsize: 16, mode: '--no-single-port' },
];

const windows = [2, 8, 64].flatMap((windowsize) =>
  ([512, 1428, 8192] as const).map((blksize) => ({ blksize, windowsize })),
);

afterEach(stopAll);
afterAll(cleanUp);

describe.each(downloads)('$client from $server, windowsize $windowsize, $mode', (pair) => {
  test.skipIf(lacks(pair.client, serverSpecs[pair.server].peer))(
    'downloads beyond 65,535 blocks',
    async () => {
      const { client, server, blksize, windowsize, mode } = pair;
      const content = noise(blocks * blksize + 1);
      const backend = await startServer(server);
      publish(backend.root, 'long', content);
      const balancer = await startBalancer([backend], { flags: [mode] });
      const received = await get(client, {
        ...balancer.listener,
        file: 'long',
        blksize,
        windowsize,
        patience,
      });
      expect(sha256(received)).toBe(sha256(content));
      const [session] = await balancer.ended(1);
      expect(session).toMatchObject({ result: 'ok', bytes: content.length, blocks: blocks + 1 });
    },
    patience + 20_000,
  );
});

describe.each(uploads)('$client to $server, windowsize $windowsize, $mode', (pair) => {
  test.skipIf(lacks(pair.client, serverSpecs[pair.server].peer))(
    'uploads beyond 65,535 blocks',
    async () => {
      const { client, server, blksize, windowsize, mode } = pair;
      const content = noise(blocks * blksize + 1);
      const backend = await startServer(server);
      const balancer = await startBalancer([backend], { flags: [mode] });
      await put(client, { ...balancer.listener, file: 'long', blksize, windowsize, patience }, content);
      const stored = path.join(backend.root, 'long');
      await until(
        'the server has it all',
        () => (existsSync(stored) && readFileSync(stored).equals(content)) || undefined,
      );
      const [session] = await balancer.ended(1);
      expect(session).toMatchObject({ result: 'ok', bytes: content.length, blocks: blocks + 1 });
    },
    patience + 20_000,
  );
});

describe.skipIf(lacks('atftp', 'atftpd')).each(['--single-port', '--no-single-port'])(
  'windows with %s',
  (mode) => {
    test('arrive whole at every size', async () => {
      const content = noise(300_000);
      const backend = await startServer('atftpd');
      publish(backend.root, 'image', content);
      const balancer = await startBalancer([backend], { flags: [mode] });
      for (const asked of windows) {
        const received = await get('atftp', { ...balancer.listener, file: 'image', ...asked });
        expect(sha256(received), JSON.stringify(asked)).toBe(sha256(content));
      }
      const sessions = await balancer.ended(windows.length);
      expect(sessions.map(({ granted }) => granted['windowsize'])).toEqual(
        windows.map(({ windowsize }) => String(windowsize)),
      );
    });
  },
);
