/** Which real clients prove that data connections are theirs, by resuming the session of their control connection. */
import { readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { startBalancer, type Balancer } from '../helpers/balancer.ts';
import { cleanUp } from '../helpers/clean-up.ts';
import { type FtpStep, lacksClient } from '../helpers/ftp-client-specs.ts';
import { FtpFailed, localFile, takeSteps } from '../helpers/ftp-clients.ts';
import { startFtpServer, type FtpServer } from '../helpers/ftp-daemons.ts';
import { lacks } from '../helpers/peers.ts';
import { until } from '../helpers/processes.ts';
import { exchange, fill, makeFront, type Wish } from '../helpers/secure-ftp.ts';

afterAll(cleanUp);

const { ca, flags: front } = makeFront();
const versions = ['1.2', '1.3'] as const;

describe.skipIf(lacks('pyftpdlib'))('with --data-tls-resume=require', () => {
  let server: FtpServer;
  let balancer: Balancer;

  beforeAll(async () => {
    server = await startFtpServer('pyftpdlib');
    fill(server);
    const flags = [...front, '--ftp-tls=required', '--data-tls-resume=require'];
    balancer = await startBalancer([server], { protocol: 'ftp', flags });
  });

  afterEach(({ task }) => {
    if (task.result?.state === 'fail') console.error(balancer.program.stdout.slice(-4_000));
  });

  afterAll(async () => {
    await Promise.all([server, balancer].map(({ program }) => program.stop()));
  });

  const handshakes = (resumed: 'true' | 'false'): Promise<number> =>
    balancer.metric('tftplb_ftp_tls_handshakes_total', { leg: 'client', channel: 'data', resumed });

  async function expectAllResumed(): Promise<void> {
    await until('they are counted', async () => (await handshakes('true')) > 0 || undefined);
    expect(await handshakes('false')).toBe(0);
  }

  for (const client of ['lftp', 'basic-ftp'] as const) {
    test.skipIf(lacksClient(client)).for(versions)(`${client} is served with TLS %s`, async (version) => {
      await exchange(server, balancer.listener, { client, verb: 'PASV', tls: { ca, version } });
      await expectAllResumed();
    });
  }

  const get = { kind: 'download', remote: 'big' } as const;
  const put = { kind: 'upload', remote: 'copy' } as const;
  // With TLS 1.2 it takes no tickets, and resumes by the ID of the session. With 1.3 it uses each ticket once, and takes no
  // new ones while it uploads: it runs out of them when it has uploaded twice.
  const steps = [
    ['1.2', [get, put, put, get]],
    ['1.3', [get, get, put]],
  ] as const;
  test.skipIf(lacksClient('curl')).for(steps)('curl is served with TLS %s', async ([version, wanted]) => {
    const copy = path.join(server.root, 'copy');
    rmSync(copy, { force: true });
    const content = readFileSync(path.join(server.root, 'big'));
    const taken = wanted.map((step): FtpStep => ({
      ...step,
      local: localFile(step.kind === 'upload' ? content : undefined),
    }));
    const { user, password } = server;
    const target = { ...balancer.listener, user, password, verb: 'PASV', tls: { ca, version } } as const;
    await takeSteps('curl', target, taken);
    for (const file of [copy, ...taken.map(({ local }) => local)])
      expect(readFileSync(file).equals(content)).toBe(true);
    await expectAllResumed();
  });

  test.skipIf(lacksClient('ftplib'))('ftplib, which never resumes, is not', async () => {
    const wish: Wish = { client: 'ftplib', verb: 'PASV', tls: { ca } };
    await expect(exchange(server, balancer.listener, wish)).rejects.toThrow(FtpFailed);
    await balancer.said({ event: 'ftp.tls-failed', reason: 'not-resumed', leg: 'client' });
  });
});
