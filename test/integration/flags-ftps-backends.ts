/** What options of TLS do to connections to servers. */
import { expect, test } from 'vitest';
import type { Endpoint } from '../../src/net/net.ts';
import { makeKeyPair } from '../helpers/certificates.ts';
import { download } from '../helpers/ftp-transfers.ts';
import { ownLoopback } from '../helpers/sockets.ts';
import { connectTo, loginTo, startFtpBalancer } from './ftp.ts';
import { pemFile, secureLogin, startSecureServer } from './ftps.ts';
import type { FlagTests } from './flags.ts';

const address = ownLoopback();
const authority = makeKeyPair({ name: 'authority' });
const trusted = makeKeyPair({ name: 'server', names: `IP:${address}`, issuer: authority });
const unknown = makeKeyPair({ name: 'unknown', names: `IP:${address}` });
const named = makeKeyPair({ name: 'named', names: 'DNS:files.example', issuer: authority });
const own = makeKeyPair();
const ca = `--backend-tls-ca=${pemFile('servers.pem', authority.certificate)}`;
const others = `--backend-tls-ca=${pemFile('others.pem', own.certificate)}`;
const front = ['--ftp-tls=allowed', `--tls-cert=${pemFile('front.pem', `${own.certificate}${own.key}`)}`];
const implicit = ['--backend-tls=required', '--backend-tls-implicit'];

/** Whether a client is greeted, and if it is not, why the server was given up. */
async function expectGreeting(
  server: Endpoint,
  reason: string | undefined,
  ...flags: string[]
): Promise<void> {
  const balancer = await startFtpBalancer([server], ...implicit, ...flags);
  const client = await connectTo(balancer.listener);
  expect((await client.line()).slice(0, 3)).toBe(reason === undefined ? '220' : '421');
  if (reason === undefined) return;
  await balancer.said({ event: 'ftp.tls-failed', leg: 'backend', channel: 'control', reason });
}

export const backendTests: FlagTests = {
  backendTlsCa: () => {
    test.each([
      ['has signed the certificate', ca, undefined],
      ['has not', others, 'certificate'],
      ['is left out: whom Node trusts', '--backend-tls=required', 'certificate'],
    ])('%s', async (_, flag, reason) => {
      await expectGreeting(await startSecureServer(trusted, { address }), reason, flag);
    });

    test('counts for data connections', async () => {
      const server = await startSecureServer(trusted, { address });
      const balancer = await startFtpBalancer([server], ...implicit, ca);
      await download(await loginTo(balancer.listener), 'EPSV');
      await balancer.said({ event: 'ftp.transfer', result: 'ok', clientLevel: 'C', backendLevel: 'P' });
    });
  },

  backendTlsName: () => {
    test.each([
      ['the own address is not in the certificate', [], 'certificate'],
      ['another name is not either', ['--backend-tls-name=other.example'], 'certificate'],
      ['the name is', ['--backend-tls-name=files.example'], undefined],
    ])('%s', async (_, flags, reason) => {
      await expectGreeting(await startSecureServer(named, { address }), reason, ca, ...flags);
    });

    test('is what a server is asked for', async () => {
      const names: unknown[] = [];
      const server = await startSecureServer(named, { address, onName: (name) => names.push(name) });
      await expectGreeting(server, undefined, ca, '--backend-tls-name=files.example');
      expect(names).toEqual(['files.example']);
    });
  },

  backendTlsInsecure: () => {
    test.each([
      ['nobody has signed', unknown],
      ['is for another name', named],
    ])('takes a certificate that %s, and warns', async (_, pair) => {
      const server = await startSecureServer(pair, { address });
      await expectGreeting(server, 'certificate', ca);
      await expectGreeting(server, undefined, ca, '--backend-tls-insecure');
      const balancer = await startFtpBalancer([server], ...implicit, '--backend-tls-insecure');
      await balancer.said({ level: 'warn', finding: 'backend-unverified' });
      await download(await loginTo(balancer.listener), 'PASV');
    });
  },

  backendTlsMinVersion: () => {
    test.each([
      ['1.2', 'TLSv1.2', undefined],
      ['1.2', 'TLSv1.3', undefined],
      ['1.3', 'TLSv1.2', 'protocol'],
      ['1.3', 'TLSv1.3', undefined],
    ] as const)('%s, with a server of %s', async (version, maxVersion, reason) => {
      const server = await startSecureServer(trusted, { address, maxVersion });
      await expectGreeting(server, reason, ca, `--backend-tls-min-version=${version}`);
    });
  },

  backendDataTls: () => {
    test.each([
      ['private', 'C', 'P'],
      ['private', 'P', 'P'],
      ['clear', 'C', 'C'],
      ['clear', 'P', 'C'],
      ['match', 'C', 'C'],
      ['match', 'P', 'P'],
    ] as const)('%s: %s of a client is %s towards the server', async (flag, clientLevel, backendLevel) => {
      const server = await startSecureServer(trusted, { address });
      const flags = [...front, ca, `--backend-data-tls=${flag}`];
      const balancer = await startFtpBalancer([server], ...implicit, ...flags);
      const { listener } = balancer;
      const client = clientLevel === 'P' ? (await secureLogin(listener)).client : await loginTo(listener);
      await download(client, 'EPSV');
      const isProtected = server.server.last.heard.includes('PROT P');
      expect(isProtected).toBe(backendLevel === 'P');
      await balancer.said({ event: 'ftp.transfer', result: 'ok', clientLevel, backendLevel });
    });
  },
};
