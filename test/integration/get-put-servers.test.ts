/** get and put against real servers, without the balancer between them. */
import { randomUUID } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { type Server, serverNames, serverSpecs, startServer } from '../helpers/daemons.ts';
import { noise, publish, temporaryFolder } from '../helpers/folders.ts';
import { lacks } from '../helpers/peers.ts';
import { stopAll, until } from '../helpers/processes.ts';
import { tftpLb } from './get-put.ts';

afterAll(stopAll);

const urlOf = ({ address, port }: Server, file: string): string => `tftp://${address}:${port}/${file}`;

const flagSets = [
  ['--no-tsize'],
  ['--blksize', '1428', '--windowsize', '8', '--timeout', '2'],
  ['--blksize', '65464'],
].map((flags) => ({ flags }));

const sizes = [0, 1, 511, 512, 513, 1428 * 8 * 3, 200_000];

const text = Buffer.from('line\nline\r\nend'.repeat(500));

/** Beyond 65,535 blocks. atftpd refuses small ones, with which the file would be shorter. */
const long = noise(512 * 65_600 + 3);
const longFlags = ['--windowsize', '32'];

for (const name of serverNames) {
  const { peer, writes } = serverSpecs[name];

  describe.skipIf(lacks(peer))(name, () => {
    const servers: Promise<Server>[] = [];
    const theServer = async (): Promise<Server> => {
      const server = servers[0] ?? startServer(name);
      servers[0] = server;
      return server;
    };
    const get = async (content: Buffer, flags: readonly string[]): Promise<string> => {
      const server = await theServer();
      // A name of its own each time: dnsmasq goes on with a file that it still has open.
      const file = randomUUID();
      publish(server.root, file, content);
      const out = path.join(temporaryFolder('get'), 'out');
      const { error, stdout } = await tftpLb(['get', urlOf(server, file), '-o', out, ...flags]);
      expect(error).toBeUndefined();
      expect(readFileSync(out).equals(content)).toBe(true);
      return stdout.toString();
    };

    const put = async (content: Buffer, flags: readonly string[]): Promise<void> => {
      const server = await theServer();
      const local = path.join(temporaryFolder('put'), 'local');
      writeFileSync(local, content);
      const file = randomUUID();
      publish(server.root, file, Buffer.alloc(0));
      const { error } = await tftpLb(['put', local, urlOf(server, file), ...flags]);
      expect(error).toBeUndefined();
      // Some servers acknowledge the last block before they have written it.
      const stored = (): true | undefined =>
        readFileSync(path.join(server.root, file)).equals(content) ? true : undefined;
      await until('the whole file', stored);
    };

    it.each(flagSets)('is read from with $flags', async ({ flags }) => {
      for (const size of sizes) await get(noise(size), flags);
    });

    it('says what it does not have', async () => {
      const { error } = await tftpLb(['get', urlOf(await theServer(), 'none'), '-o', '-']);
      expect(error).toMatchObject({
        exitCode: 1,
        message: expect.stringContaining('the server sent ERROR 1'),
      });
    });

    // dnsmasq, which reads alone, knows neither netascii nor windows.
    if (!writes) return;

    it('is read from beyond the last block number', async () => {
      expect(await get(long, longFlags)).toContain('65601 blocks');
    });

    it('is read from as text', async () => {
      await get(text, ['--mode', 'netascii']);
    });

    it('takes text', async () => {
      await put(text, ['--mode', 'netascii']);
    });

    it.each(flagSets)('is written to with $flags', async ({ flags }) => {
      for (const size of sizes) await put(noise(size), flags);
    });

    it('is written to beyond the last block number', async () => {
      await put(long, longFlags);
    });
  });
}
