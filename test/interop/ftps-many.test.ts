/**
 * More data connections in a row than a server gives tickets for at once: each has to resume the session of the control
 * connection, or servers that demand it refuse it.
 */
import { readFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { startBalancer, type Balancer } from '../helpers/balancer.ts';
import { cleanUp } from '../helpers/clean-up.ts';
import { sha256 } from '../helpers/folders.ts';
import { lacksClient, type FtpStep } from '../helpers/ftp-client-specs.ts';
import { localFile, takeSteps } from '../helpers/ftp-clients.ts';
import type { FtpServerName } from '../helpers/ftp-daemon-specs.ts';
import { lacks } from '../helpers/peers.ts';
import { makeFront, many, startSecure, type SecureServer } from '../helpers/secure-ftp.ts';

/** Milliseconds; two cores serve others besides. */
const patience = 60_000;

afterAll(cleanUp);

const { ca, flags: front } = makeFront();
interface Case {
  readonly name: FtpServerName;
  readonly version: '1.2' | '1.3';
  /** None of those that take long for each file by themselves. */
  readonly client: 'ftplib' | 'basic-ftp';
  /** Data connections that resume the session of the control connection. */
  readonly resumed: number;
}

const cases: readonly Case[] = [
  { name: 'vsftpd', version: '1.2', client: 'ftplib', resumed: many.length },
  { name: 'vsftpd', version: '1.3', client: 'basic-ftp', resumed: many.length },
  { name: 'proftpd', version: '1.2', client: 'basic-ftp', resumed: many.length },
  { name: 'proftpd', version: '1.3', client: 'ftplib', resumed: many.length },
  { name: 'pure-ftpd', version: '1.2', client: 'ftplib', resumed: many.length },
  // It gives no tickets, and demands none.
  { name: 'pure-ftpd', version: '1.3', client: 'basic-ftp', resumed: 0 },
  { name: 'pyftpdlib', version: '1.2', client: 'basic-ftp', resumed: many.length },
  { name: 'pyftpdlib', version: '1.3', client: 'ftplib', resumed: many.length },
];

for (const { name, version, client, resumed } of cases) {
  describe.skipIf(lacks(name) || lacksClient(client))(`${name} with TLS ${version}`, () => {
    let secure: SecureServer;
    let balancer: Balancer;

    beforeAll(async () => {
      secure = await startSecure(name, { version });
      const flags = [...front, '--ftp-tls=required', '--backend-tls=required', ...secure.trust];
      balancer = await startBalancer([secure.server], { protocol: 'ftp', flags });
    });

    afterEach(({ task }) => {
      if (task.result?.state === 'fail') console.error(balancer.program.stdout.slice(-4_000));
    });

    afterAll(async () => {
      await Promise.all([secure.server, balancer].map(({ program }) => program.stop()));
    });

    test(
      `serves ${many.length} files to ${client} in one session`,
      async () => {
        const steps: FtpStep[] = many.map((file) => ({
          kind: 'download',
          remote: `many/${file}`,
          local: localFile(),
        }));
        const { user, password } = secure.server;
        const target = { ...balancer.listener, user, password, verb: 'PASV', tls: { ca }, patience } as const;
        await takeSteps(client, target, steps);
        const hashes = steps.map(({ local }) => sha256(readFileSync(local)));
        const hash = sha256(readFileSync(`${secure.server.root}/small`));
        expect(hashes).toEqual(many.map(() => hash));
        const end = await balancer.said({ event: 'ftp.session.end', transfers: many.length });
        expect(end['backendTls']).toBe(`TLSv${version}`);
        const backendData = { leg: 'backend', channel: 'data' };
        const handshakes = await Promise.all(
          ['true', 'false'].map((how) =>
            balancer.metric('tftplb_ftp_tls_handshakes_total', { ...backendData, resumed: how }),
          ),
        );
        expect(handshakes).toEqual([resumed, many.length - resumed]);
      },
      patience,
    );
  });
}
