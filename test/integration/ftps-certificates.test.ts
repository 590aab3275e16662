/** Files with certificates, keys and authorities that change while sessions run. */
import { X509Certificate } from 'node:crypto';
import { renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { ConnectionOptions } from 'node:tls';
import { afterAll, describe, expect, test } from 'vitest';
import type { KeyPair } from '../../src/net/tls.ts';
import type { Balancer } from '../helpers/balancer.ts';
import { makeKeyPair } from '../helpers/certificates.ts';
import { temporaryFolder } from '../helpers/folders.ts';
import type { Handler } from '../helpers/ftp-server.ts';
import { content, download, isContent, upload } from '../helpers/ftp-transfers.ts';
import { stopAll, until } from '../helpers/processes.ts';
import { ownLoopback } from '../helpers/sockets.ts';
import { connectTo, loginTo, type RunningServer, startFtpBalancer, startFtpServer } from './ftp.ts';
import { type SecureClient, secureClient, secured, secureLogin, startSecureServer } from './ftps.ts';

afterAll(stopAll);

const first = makeKeyPair({ name: 'first', names: 'DNS:first.example' });
const second = makeKeyPair({ name: 'second', names: 'DNS:second.example', days: 60 });
const renewed = makeKeyPair({ name: 'renewed', names: 'DNS:second.example', days: 90 });
const authorities = [makeKeyPair({ name: 'one' }), makeKeyPair({ name: 'other' })] as const;

/** A folder with files that are replaced as careful programs do it: each is whole at any time. */
class Files {
  readonly #folder = temporaryFolder('certificates');

  at(name: string): string {
    return path.join(this.#folder, name);
  }

  put(name: string, text: string): string {
    writeFileSync(this.at('new'), text, { mode: 0o600 });
    renameSync(this.at('new'), this.at(name));
    return this.at(name);
  }

  /** Flags for a pair of files of that name. */
  pair(name: string, { certificate, key }: KeyPair): string[] {
    return [
      `--tls-cert=${this.put(`${name}.pem`, certificate)}`,
      `--tls-key=${this.put(`${name}.key`, key)}`,
    ];
  }
}

/** Waits until so many sessions in a row are shown the certificate, whichever worker serves them. */
async function expectShown(balancer: Balancer, name: string, servername?: string): Promise<void> {
  await until(`${name} is shown`, async () => {
    const sessions = Array.from({ length: 6 }, () =>
      secureClient(balancer.listener, servername === undefined ? {} : { servername }),
    );
    const shown = (await Promise.all(sessions)).map((session) => session.shown);
    return shown.every((one) => one === name) || undefined;
  });
}

const expiry = 'tftplb_ftp_certificate_expiry_timestamp_seconds';

/** In seconds since 1970. */
function endOf({ certificate }: KeyPair): number {
  return new X509Certificate(certificate).validToDate.getTime() / 1_000;
}

function results(balancer: Balancer): Promise<number[]> {
  const counts = ['loaded', 'failed'].map((result) =>
    balancer.metric('tftplb_ftp_certificates_total', { result }),
  );
  return Promise.all(counts);
}

const half = content.length / 2;
const ignore = (): void => undefined;

interface Hesitant extends RunningServer {
  /** Lets the second half of its listing go. */
  readonly goOn: () => void;
}

/** A server whose listing is `content`, of which it sends one half and waits. */
async function startHesitant(): Promise<Hesitant> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const NLST: Handler = async (session) => {
    session.say('150 half of it');
    const data = await session.data();
    data.handle({ onData: ignore, onEnd: ignore, onDrain: ignore, onClose: ignore });
    data.write(content.subarray(0, half));
    await promise;
    data.write(content.subarray(half));
    data.end();
    session.say('226 done');
  };
  return { ...(await startFtpServer({ handlers: { NLST } })), goOn: resolve };
}

/** Begins the listing of such a server; what is returned has it end, and looks whether it is whole. */
async function beginListing({ client }: SecureClient, { goOn }: Hesitant): Promise<() => Promise<void>> {
  const at = await client.epsv();
  client.send('NLST');
  const { socket, ear } = await client.connect(at);
  await client.until('half of it', () => ear.length === half);
  return async () => {
    goOn();
    await client.until('the end of data', () => ear.events.includes('end'));
    socket.end();
    expect([await client.line(), await client.line()]).toEqual(['150 half of it', '226 done']);
    expect(isContent(Buffer.concat(ear.chunks))).toBe(true);
  };
}

/** Whether a session is as good as ever, its data connections included. */
async function expectSound(session: SecureClient, { server }: RunningServer): Promise<void> {
  await download(session.client, 'EPSV');
  await upload(session.client, 'PASV', server);
  expect(session.resumed.every(Boolean)).toBe(true);
}

const strict = ['--ftp-tls=required', '--data-tls-resume=require'];

describe.each([
  ['as many workers as by default', []],
  ['two workers', ['--workers=2']],
])('with %s', (_, workers) => {
  test.each(['noticed', 'SIGHUP'] as const)(
    'a pair that is replaced counts for new sessions: %s',
    async (how) => {
      const server = await startHesitant();
      const files = new Files();
      const flags = [...strict, ...workers, ...files.pair('own', first)];
      const balancer = await startFtpBalancer([server], ...flags);
      const session = await secureLogin(balancer.listener);
      const endListing = await beginListing(session, server);
      expect(session.shown).toBe('first');
      expect(await balancer.metric(expiry)).toBe(endOf(first));

      files.pair('own', second);
      if (how === 'SIGHUP') {
        balancer.program.signal('SIGHUP');
        await balancer.said({ event: 'config.applied' });
        expect((await secureClient(balancer.listener)).shown).toBe('second');
      }
      const expires = new Date(endOf(second) * 1_000).toISOString();
      await balancer.said({ event: 'ftp.certificates.loaded', expires });
      await expectShown(balancer, 'second');
      await endListing();
      await expectSound(session, server);
      await expectSound(await secureLogin(balancer.listener), server);
      expect(await balancer.metric(expiry)).toBe(endOf(second));
      expect(await results(balancer)).toEqual([2, 0]);
    },
  );

  const spoilt: readonly (readonly [string, (files: Files) => void, RegExp])[] = [
    [
      'the key of another certificate',
      (files) => files.put('own.key', second.key),
      /own\.pem and .*own\.key: the private key is not that of the certificate \(O=Tests, CN=first\)/,
    ],
    [
      'half a certificate',
      (files) => writeFileSync(files.at('own.pem'), second.certificate.slice(0, 300)),
      /own\.pem: the certificate cannot be read/,
    ],
    [
      'half a key',
      (files) => writeFileSync(files.at('own.key'), ''),
      /own\.key: there is no private key in it/,
    ],
    ['no file', (files) => rmSync(files.at('own.key')), /cannot read .*own\.key: ENOENT/],
  ];

  test.each(spoilt)('%s changes nothing, and is told', async (__, spoil, reason) => {
    const server = await startHesitant();
    const files = new Files();
    const flags = [...strict, ...workers, ...files.pair('own', first)];
    const balancer = await startFtpBalancer([server], ...flags);
    const session = await secureLogin(balancer.listener);
    const endListing = await beginListing(session, server);

    spoil(files);
    const failed = await balancer.said({ level: 'error', event: 'ftp.certificates.failed' });
    expect(failed['error']).toMatch(reason);
    balancer.program.signal('SIGHUP');
    const refused = await balancer.said({ level: 'error', event: 'config.refused' });
    expect(refused['faults']).toEqual([expect.stringMatching(reason)]);
    await expectShown(balancer, 'first');
    await endListing();
    await expectSound(session, server);
    expect(await results(balancer)).toEqual([1, 1]);
    expect(await balancer.metric(expiry)).toBe(endOf(first));

    files.pair('own', second);
    await expectShown(balancer, 'second');
    await expectSound(session, server);
  });

  test('of several pairs the one that is replaced is shown anew to whoever asks for it', async () => {
    const server = await startFtpServer();
    const files = new Files();
    const pairs = [...files.pair('one', first), ...files.pair('two', second)];
    const balancer = await startFtpBalancer([server], ...strict, ...workers, ...pairs);
    const session = await secureLogin(balancer.listener, { servername: 'second.example' });
    expect(session.shown).toBe('second');
    files.pair('two', renewed);
    await expectShown(balancer, 'renewed', 'second.example');
    await expectShown(balancer, 'first', 'first.example');
    await expectShown(balancer, 'first');
    await expectSound(session, server);
    expect(await balancer.metric(expiry)).toBe(endOf(first));
    files.pair('one', renewed);
    await expectShown(balancer, 'renewed');
    expect(await balancer.metric(expiry)).toBe(endOf(renewed));
  });

  test('another authority of servers counts for new sessions', async () => {
    const address = ownLoopback();
    const [ours, other] = authorities;
    const pair = makeKeyPair({ names: `IP:${address}`, issuer: ours });
    const server = await startSecureServer(pair, { address });
    const files = new Files();
    const balancer = await startFtpBalancer(
      [server],
      ...workers,
      '--backend-tls=required',
      '--backend-tls-implicit',
      `--backend-tls-ca=${files.put('ca.pem', ours.certificate)}`,
    );
    const greeting = async (): Promise<string> =>
      (await (await connectTo(balancer.listener)).line()).slice(0, 3);
    const session = await loginTo(balancer.listener);
    await download(session, 'EPSV');
    files.put('ca.pem', other.certificate);
    await until('it is believed no more', async () => ((await greeting()) === '421' ? true : undefined));
    await balancer.said({ event: 'ftp.tls-failed', leg: 'backend', reason: 'certificate' });
    await download(session, 'EPSV');
    writeFileSync(files.at('ca.pem'), 'nobody');
    const failed = await balancer.said({ event: 'ftp.certificates.failed' });
    expect(failed['error']).toMatch(/ca\.pem: there is no certificate to trust/);
    await download(session, 'PASV');
    files.put('ca.pem', `${other.certificate}${ours.certificate}`);
    await until('it is believed again', async () => ((await greeting()) === '220' ? true : undefined));
  });

  test('another authority of clients counts for new sessions', async () => {
    const server = await startFtpServer();
    const files = new Files();
    const [alice, bob] = authorities.map((issuer, at) => {
      const { certificate: cert, key } = makeKeyPair({ name: at === 0 ? 'alice' : 'bob', issuer });
      return { cert, key };
    });
    const [ours, other] = authorities;
    const ca = `--tls-client-ca=${files.put('ca.pem', ours.certificate)}`;
    const flags = [...strict, ...workers, ...files.pair('own', first), ca, '--tls-client-cert=required'];
    const balancer = await startFtpBalancer([server], ...flags);
    const session = await secureLogin(balancer.listener, alice);
    files.put('ca.pem', other.certificate);
    await until('the other one is believed', () => isServed(balancer, bob));
    await until('the old one is not', async () => ((await isServed(balancer, alice)) ? undefined : true));
    await balancer.said({
      event: 'ftp.tls-failed',
      leg: 'client',
      channel: 'control',
      reason: 'certificate',
    });
    await expectSound(session, server);
    await session.client.ask('QUIT');
    await balancer.said({ event: 'ftp.session.end', user: 'joe', subject: 'CN=alice,O=Tests' });
  });
});

/** True if a client with this certificate gets an answer within TLS. */
async function isServed(
  { listener }: Balancer,
  certificate: ConnectionOptions = {},
): Promise<true | undefined> {
  const tls = await secured(listener, certificate).catch(() => undefined);
  if (tls === undefined) return undefined;
  let isAnswered = false;
  tls.on('error', ignore).on('data', () => (isAnswered = true));
  tls.write('NOOP\r\n');
  await until('an answer, or the end', () => isAnswered || tls.destroyed || undefined);
  return isAnswered || undefined;
}
