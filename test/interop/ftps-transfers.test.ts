/**
 * Real FTP clients under TLS, through the balancer, to real servers under TLS that are as strict as they can be: the
 * contents must be the same on both sides, and each leg as it was told to be.
 */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { startBalancer, type Balancer } from '../helpers/balancer.ts';
import { makeKeyPair } from '../helpers/certificates.ts';
import { cleanUp } from '../helpers/clean-up.ts';
import { noise, publish, sha256, temporaryFolder } from '../helpers/folders.ts';
import {
  lacksClient,
  type DataVerb,
  type FtpClientName,
  type FtpClientTls,
} from '../helpers/ftp-client-specs.ts';
import { localFile, takeSteps } from '../helpers/ftp-clients.ts';
import type { FtpServerName, FtpServerTls } from '../helpers/ftp-daemon-specs.ts';
import { freePort, startFtpServer, type FtpServer } from '../helpers/ftp-daemons.ts';
import { lacks } from '../helpers/peers.ts';
import type { Endpoint } from '../../src/net/net.ts';
import { ownLoopback } from '../helpers/sockets.ts';

const small = noise(1_000, 'small');
const big = noise(2_000_000, 'big');
const names = Array.from({ length: 200 }, (_, index) => `a-file-with-quite-a-long-name-${100 + index}`);
const [smallFile, bigFile] = [localFile(small), localFile(big)];

afterAll(cleanUp);

const folder = temporaryFolder('certificates');
const own = makeKeyPair();
const ca = path.join(folder, 'own.pem');
const key = path.join(folder, 'own.key');
writeFileSync(ca, own.certificate);
writeFileSync(key, own.key);
const front = [`--tls-cert=${ca}`, `--tls-key=${key}`];

interface Backend {
  readonly server: FtpServer;
  /** Flags that make the balancer trust it. */
  readonly trust: readonly string[];
}

/** A server with a certificate for its address. */
async function startSecure(name: FtpServerName, tls: Omit<FtpServerTls, 'file'> = {}): Promise<Backend> {
  const address = ownLoopback();
  const pair = makeKeyPair({ kind: 'rsa', names: `IP:${address}` });
  const file = path.join(folder, `${address}.pem`);
  writeFileSync(file, `${pair.certificate}${pair.key}`, { mode: 0o600 });
  const server = await startFtpServer(name, address, undefined, { ...tls, file });
  publish(server.root, 'small', small);
  publish(server.root, 'big', big);
  mkdirSync(path.join(server.root, 'many'));
  for (const many of names) publish(path.join(server.root, 'many'), many, small);
  return { server, trust: [`--backend-tls-ca=${file}`] };
}

interface Wish {
  readonly client: FtpClientName;
  readonly verb: DataVerb;
  readonly tls?: Omit<FtpClientTls, 'ca'>;
}

/** Everything that a client does to files, in one session. Leaves out uploads where a client has a fault there. */
async function exchange({ server }: Backend, listener: Endpoint, { client, verb, tls }: Wish): Promise<void> {
  const stored = ['new-small', 'new-big'].map((file) => path.join(server.root, file));
  const [gotSmall, gotBig, listing] = [localFile(), localFile(), localFile()];
  for (const file of stored) rmSync(file, { force: true });
  const { user, password } = server;
  await takeSteps(client, { ...listener, user, password, verb, ...(tls && { tls: { ...tls, ca } }) }, [
    { kind: 'upload', local: smallFile, remote: 'new-small' },
    { kind: 'upload', local: bigFile, remote: 'new-big' },
    { kind: 'download', remote: 'small', local: gotSmall },
    { kind: 'download', remote: 'big', local: gotBig },
    { kind: 'list', remote: 'many', local: listing },
  ]);
  const hashes = [small, big].map((data) => sha256(data));
  expect([...stored, gotSmall, gotBig].map((file) => sha256(readFileSync(file)))).toEqual([
    ...hashes,
    ...hashes,
  ]);
  expect(
    readFileSync(listing, 'utf8')
      .split('\n')
      .filter((line) => line.startsWith('-')).length,
  ).toBe(200);
}

/** Which levels the last transfer had, of the client and of the backend. */
function levels(balancer: Balancer): unknown {
  const last = balancer.lines().findLast(({ event }) => event === 'ftp.transfer');
  return [last?.['clientLevel'], last?.['backendLevel']].join('');
}

const clients: readonly FtpClientName[] = ['curl', 'lftp', 'ftplib', 'basic-ftp'];

const servers: readonly (readonly [FtpServerName, Omit<FtpServerTls, 'file'>])[] = [
  ['vsftpd', {}],
  ['vsftpd', { isImplicit: true }],
  ['proftpd', {}],
  ['proftpd', { isImplicit: true, version: '1.2' }],
  ['pure-ftpd', {}],
];

for (const [name, tls] of servers) {
  const isImplicit = tls.isImplicit === true;
  describe.skipIf(lacks(name))(`${name}, ${isImplicit ? 'implicit' : 'explicit'}`, () => {
    let backend: Backend;
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
          ['with TLS 1.3', { client, verb: 'PASV', tls: { version: '1.3' } }, 'PP'],
          ['with TLS 1.2', { client, verb: 'PASV', tls: { version: '1.2' } }, 'PP'],
          ['in clear', { client, verb: 'PASV' }, 'CP'],
        ];
        test.for(wishes)('%s', async ([, wish, expected]) => {
          await exchange(backend, vip, wish);
          expect(levels(balancer)).toBe(expected);
        });
      });
    }

    test('implicit, by curl', async () => {
      const tls = { isImplicit: true };
      await exchange(backend, { ...vip, port: implicitPort }, { client: 'curl', verb: 'EPSV', tls });
    });

    test('active, by lftp', async () => {
      await exchange(backend, vip, { client: 'lftp', verb: 'PORT', tls: {} });
    });

    test.for(['curl', 'lftp'] as const)('data connections in clear, by %s', async (client) => {
      await exchange(backend, vip, { client, verb: 'PASV', tls: { isDataClear: true } });
      expect(levels(balancer)).toBe('CP');
    });
  });
}
