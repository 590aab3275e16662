/** Many real clients at once. */
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { startBalancer, type Balancer } from '../helpers/balancer.ts';
import { cleanUp } from '../helpers/clean-up.ts';
import { get } from '../helpers/clients.ts';
import { startServer, type Server } from '../helpers/daemons.ts';
import { noise, publish, sha256, temporaryFolder } from '../helpers/folders.ts';
import { lacks, requirePeer } from '../helpers/peers.ts';
import { run, stopAll } from '../helpers/processes.ts';

const content = noise(60_000);
/** Milliseconds; two cores share themselves among 200 clients. */
const patience = 60_000;

afterEach(stopAll);
afterAll(cleanUp);

/** One curl process with `count` transfers side by side, each from a port of its own. Returns what it stored. */
async function getInParallel({ listener }: Balancer, count: number): Promise<Buffer[]> {
  const folder = temporaryFolder('crowd');
  const outputs = Array.from({ length: count }, (_, index) => path.join(folder, String(index)));
  const url = `tftp://${listener.address}:${listener.port}/image`;
  const config = path.join(folder, 'config');
  writeFileSync(config, outputs.map((output) => `url = "${url}"\noutput = "${output}"\n`).join(''));
  const parallel = ['--parallel', '--parallel-immediate', '--parallel-max', String(count)];
  const exit = await run(requirePeer('curl'), ['--silent', '--show-error', ...parallel, '--config', config], {
    timeout: patience,
  });
  expect(exit.code, exit.stderr).toBe(0);
  return outputs.map((output) => readFileSync(output));
}

describe.skipIf(lacks('atftpd', 'curl', 'atftp', 'busybox', 'tftp-hpa'))('200 clients at once', () => {
  test.each(['--no-single-port', '--single-port'])(
    'are all served and shared evenly with %s',
    async (mode) => {
      const servers: Server[] = await Promise.all(Array.from({ length: 4 }, () => startServer('atftpd')));
      for (const { root } of servers) publish(root, 'image', content);
      // A machine that is busy with 200 clients may keep one of them waiting.
      const balancer = await startBalancer(servers, { flags: [mode, '--try-interval=20s'] });
      const others = (['atftp', 'busybox', 'tftp-hpa'] as const).flatMap((client) =>
        Array.from({ length: 10 }, () => get(client, { ...balancer.listener, file: 'image', patience })),
      );
      const received = (await Promise.all([getInParallel(balancer, 170), ...others])).flat();

      expect(new Set(received.map((file) => sha256(file)))).toEqual(new Set([sha256(content)]));
      const sessions = await balancer.ended(200);
      expect(sessions.filter(({ result }) => !result.startsWith('ok'))).toEqual([]);
      expect(balancer.shares()).toEqual({ b0: 50, b1: 50, b2: 50, b3: 50 });
    },
    patience + 30_000,
  );
});
