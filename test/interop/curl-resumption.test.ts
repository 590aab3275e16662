/**
 * curl where data connections have to resume the control connection's TLS session. It takes no tickets with TLS 1.2,
 * and resumes by the ID of the session; with TLS 1.3 it takes none while it uploads, and runs out of them.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startBalancer, type Balancer } from '../helpers/balancer.ts';
import { makeKeyPair } from '../helpers/certificates.ts';
import { cleanUp } from '../helpers/clean-up.ts';
import { noise, publish, temporaryFolder } from '../helpers/folders.ts';
import { type FtpStep, lacksClient } from '../helpers/ftp-client-specs.ts';
import { localFile, takeSteps } from '../helpers/ftp-clients.ts';
import { startFtpServer, type FtpServer } from '../helpers/ftp-daemons.ts';
import { lacks } from '../helpers/peers.ts';

afterAll(cleanUp);

const content = noise(100_000);
const own = makeKeyPair();
const ca = path.join(temporaryFolder('certificates'), 'own.pem');
writeFileSync(ca, `${own.certificate}${own.key}`, { mode: 0o600 });

const fetch: FtpStep = { kind: 'download', remote: 'file', local: localFile() };
const store: FtpStep = { kind: 'upload', remote: 'copy', local: localFile(content) };

describe.skipIf(lacks('pyftpdlib') || lacksClient('curl'))('curl, with --data-tls-resume=require', () => {
  let server: FtpServer;
  let balancer: Balancer;

  beforeAll(async () => {
    server = await startFtpServer('pyftpdlib');
    publish(server.root, 'file', content);
    const flags = [`--tls-cert=${ca}`, '--ftp-tls=required', '--data-tls-resume=require'];
    balancer = await startBalancer([server], { protocol: 'ftp', flags });
  });

  test.each([
    ['1.2', [fetch, store, store, fetch]],
    ['1.3', [fetch, fetch, store]],
  ] as const)('is served with TLS %s', async (version, steps) => {
    const { user, password } = server;
    const target = { ...balancer.listener, user, password, verb: 'PASV', tls: { ca, version } } as const;
    await takeSteps('curl', target, steps);
    for (const file of [fetch.local, path.join(server.root, 'copy')])
      expect(readFileSync(file).equals(content)).toBe(true);
    const labels = { leg: 'client', channel: 'data', resumed: 'false' };
    expect(await balancer.metric('tftplb_ftp_tls_handshakes_total', labels)).toBe(0);
  });
});
