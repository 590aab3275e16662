/**
 * Which real clients prove that data connections are theirs, by resuming the session of their control connection. curl
 * is left out: 7.88 takes no tickets with TLS 1.2, and with 1.3 none while it uploads, when it has used up its last.
 */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { startBalancer, type Balancer } from '../helpers/balancer.ts';
import { cleanUp } from '../helpers/clean-up.ts';
import { lacksClient } from '../helpers/ftp-client-specs.ts';
import { FtpFailed } from '../helpers/ftp-clients.ts';
import { startFtpServer, type FtpServer } from '../helpers/ftp-daemons.ts';
import { lacks } from '../helpers/peers.ts';
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

  for (const client of ['lftp', 'basic-ftp'] as const) {
    test.skipIf(lacksClient(client)).for(versions)(`${client} is served with TLS %s`, async (version) => {
      await exchange(server, balancer.listener, { client, verb: 'PASV', tls: { ca, version } });
      const labels = { leg: 'client', channel: 'data', resumed: 'false' };
      expect(await balancer.metric('tftplb_ftp_tls_handshakes_total', labels)).toBe(0);
    });
  }

  test.skipIf(lacksClient('ftplib'))('ftplib, which never resumes, is not', async () => {
    const wish: Wish = { client: 'ftplib', verb: 'PASV', tls: { ca } };
    await expect(exchange(server, balancer.listener, wish)).rejects.toThrow(FtpFailed);
    await balancer.said({ event: 'ftp.tls-failed', reason: 'not-resumed', leg: 'client' });
  });
});
