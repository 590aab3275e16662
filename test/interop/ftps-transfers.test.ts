/**
 * Real FTP clients under TLS, through the balancer, to real servers under TLS that are as strict as they can be: the
 * contents must be the same on both sides, and each leg as it was told to be. tnftp knows TLS for URLs of the web
 * alone: it comes in clear.
 */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { startBalancer, type Balancer } from '../helpers/balancer.ts';
import { cleanUp } from '../helpers/clean-up.ts';
import { lacksClient, type FtpClientName } from '../helpers/ftp-client-specs.ts';
import type { FtpServerName, FtpServerTls } from '../helpers/ftp-daemon-specs.ts';
import { freePort } from '../helpers/ftp-daemons.ts';
import { lacks } from '../helpers/peers.ts';
import {
  exchange,
  levels,
  makeFront,
  startSecure,
  type SecureServer,
  type Wish,
} from '../helpers/secure-ftp.ts';
import type { Endpoint } from '../../src/net/net.ts';

afterAll(cleanUp);

const { ca, flags: front } = makeFront();

const clients: readonly FtpClientName[] = ['curl', 'lftp', 'ftplib', 'basic-ftp'];

const servers: readonly (readonly [FtpServerName, Omit<FtpServerTls, 'file'>])[] = [
  ['vsftpd', {}],
  ['vsftpd', { isImplicit: true }],
  ['proftpd', {}],
  ['proftpd', { isImplicit: true, version: '1.2' }],
  ['pure-ftpd', {}],
  ['pyftpdlib', {}],
];

for (const [name, tls] of servers) {
  const isImplicit = tls.isImplicit === true;
  describe.skipIf(lacks(name))(`${name}, ${isImplicit ? 'implicit' : 'explicit'}`, () => {
    let backend: SecureServer;
    let implicitPort: number;
    let balancer: Balancer;
    /** Where TLS begins with AUTH. */
    let vip: Endpoint;

    beforeAll(async () => {
      backend = await startSecure(name, tls);
      implicitPort = await freePort('127.0.0.1');
      const flags = [
        ...front,
        '--ftp-tls=allowed',
        `--ftps-port=${implicitPort}`,
        '--backend-tls=required',
        ...backend.trust,
      ];
      if (isImplicit) flags.push('--backend-tls-implicit');
      balancer = await startBalancer([backend.server], { protocol: 'ftp', flags });
      const listener = balancer.listeners.find(({ port }) => port !== implicitPort);
      if (listener === undefined) throw new Error('no listener');
      vip = listener;
    });

    afterEach(({ task }) => {
      if (task.result?.state === 'fail') console.error(balancer.program.stdout.slice(-4_000));
    });

    afterAll(async () => {
      await Promise.all([backend.server, balancer].map(({ program }) => program.stop()));
    });

    for (const client of clients) {
      describe.skipIf(lacksClient(client))(client, () => {
        const wishes: readonly (readonly [string, Wish, string])[] = [
          ['with TLS 1.3', { client, verb: 'PASV', tls: { ca, version: '1.3' } }, 'PP'],
          ['with TLS 1.2', { client, verb: 'PASV', tls: { ca, version: '1.2' } }, 'PP'],
          ['in clear', { client, verb: 'PASV' }, 'CP'],
        ];
        test.for(wishes)('%s', async ([, wish, expected]) => {
          await exchange(backend.server, vip, wish);
          expect(levels(balancer)).toBe(expected);
        });
      });
    }

    describe.skipIf(lacksClient('tnftp'))('tnftp', () => {
      test('in clear', async () => {
        await exchange(backend.server, vip, { client: 'tnftp', verb: 'EPSV' });
        expect(levels(balancer)).toBe('CP');
      });
    });

    test.for(['curl', 'lftp', 'basic-ftp'] as const)('implicit, by %s', async (client) => {
      const tls = { ca, isImplicit: true };
      await exchange(backend.server, { ...vip, port: implicitPort }, { client, verb: 'EPSV', tls });
      expect(levels(balancer)).toBe('PP');
    });

    test.for(['lftp', 'ftplib'] as const)('active, by %s', async (client) => {
      await exchange(backend.server, vip, { client, verb: 'PORT', tls: { ca } });
      expect(levels(balancer)).toBe('PP');
    });

    const inClear: readonly Wish[] = [
      { client: 'curl', verb: 'PASV' },
      // With PROT P version 7.88 never begins TLS on connections that it has accepted.
      { client: 'curl', verb: 'PORT' },
      { client: 'lftp', verb: 'PASV' },
    ];
    test.for(inClear)('data connections in clear, by $client with $verb', async (wish) => {
      await exchange(backend.server, vip, { ...wish, tls: { ca, isDataClear: true } });
      expect(levels(balancer)).toBe('CP');
    });
  });
}
