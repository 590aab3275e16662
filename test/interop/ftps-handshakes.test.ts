/** TLS with clients as OpenSSL's own one begins it, in every way that it can be told to. */
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { formatEndpoint, type Endpoint } from '../../src/net/net.ts';
import { startBalancer, type Balancer } from '../helpers/balancer.ts';
import { makeKeyPair, type CertificateWish } from '../helpers/certificates.ts';
import { cleanUp } from '../helpers/clean-up.ts';
import { temporaryFolder } from '../helpers/folders.ts';
import { freePort, startFtpServer, type FtpServer } from '../helpers/ftp-daemons.ts';
import { lacks, requirePeer } from '../helpers/peers.ts';
import { Program, run, until } from '../helpers/processes.ts';

afterAll(cleanUp);

const folder = temporaryFolder('certificates');

/** A file with a certificate and its key. */
function certificate(file: string, wish: CertificateWish): string {
  const pair = makeKeyPair(wish);
  const place = path.join(folder, file);
  writeFileSync(place, `${pair.certificate}${pair.key}`, { mode: 0o600 });
  return place;
}

const first = certificate('first', { name: 'first', names: 'DNS:first.example' });
const second = certificate('second', { name: 'second', names: 'DNS:second.example,DNS:*.files.example' });
const alice = certificate('alice', { name: 'alice' });
const stranger = certificate('stranger', { name: 'stranger' });
const flags = [
  '--ftp-tls=required',
  `--tls-cert=${first}`,
  `--tls-cert=${second}`,
  `--tls-client-ca=${alice}`,
];

/** `how` tells OpenSSL with which connection TLS begins. */
function commandLine(listener: Endpoint, ...how: readonly string[]): string[] {
  return ['s_client', '-connect', formatEndpoint(listener.address, listener.port), '-crlf', ...how];
}

const explicit = ['-starttls', 'ftp'] as const;

/** All that OpenSSL says of a session that goes no further than a QUIT, which is answered if TLS was begun. */
async function handshake(listener: Endpoint, ...how: readonly string[]): Promise<string> {
  // It stays when its input ends, and takes no line of that for an order.
  const args = commandLine(listener, '-ign_eof', ...how);
  const { stdout, stderr } = await run(requirePeer('openssl'), args, { input: 'QUIT\n' });
  return stdout + stderr;
}

/** The answer to QUIT, which may stand amid what OpenSSL itself says. */
const served = /221 Goodbye/u;

/** Waits until `program` has printed it. */
function hears(program: Program, what: RegExp): Promise<true> {
  return until(`OpenSSL hears ${what.source}`, () => what.test(program.stdout) || undefined);
}

describe.skipIf(lacks('openssl', 'pyftpdlib'))('s_client', () => {
  let server: FtpServer;
  let balancer: Balancer;
  /** Takes less. */
  let strict: Balancer;
  let implicitPort: number;
  let vip: Endpoint;

  beforeAll(async () => {
    server = await startFtpServer('pyftpdlib');
    implicitPort = await freePort('127.0.0.1');
    const less = ['--tls-min-version=1.3', '--tls-client-cert=required', '--data-tls-resume=off'];
    [balancer, strict] = await Promise.all([
      startBalancer([server], { protocol: 'ftp', flags: [...flags, `--ftps-port=${implicitPort}`] }),
      startBalancer([server], { protocol: 'ftp', flags: [...flags, ...less] }),
    ]);
    const listener = balancer.listeners.find(({ port }) => port !== implicitPort);
    if (listener === undefined) throw new Error('no listener');
    vip = listener;
  });

  afterEach(({ task }) => {
    if (task.result?.state === 'fail') console.error(balancer.program.stdout.slice(-4_000));
  });

  afterAll(async () => {
    await Promise.all([server, balancer, strict].map(({ program }) => program.stop()));
  });

  test.for(['1.2', '1.3'])('has TLS %s', async (version) => {
    const option = `-tls${version.replace('.', '_')}`;
    const heard = await handshake(vip, ...explicit, option);
    expect(heard).toMatch(new RegExp(`^New, .*TLSv${version},|^ *Protocol *: TLSv${version}$`, 'mu'));
    expect(heard).toMatch(served);
  });

  test('has TLS from the beginning at the port for that', async () => {
    const heard = await handshake({ ...vip, port: implicitPort });
    expect(heard).toMatch(served);
    expect(heard.indexOf('\n220 ')).toBeGreaterThan(heard.indexOf('SSL handshake has read'));
  });

  // OpenSSL says what we said: the alerts of RFC 8446 section 6.2.
  const refused: readonly (readonly [string, readonly string[], string])[] = [
    ['TLS 1.1', ['-tls1_1', '-cipher', 'ALL@SECLEVEL=0'], 'alert protocol version'],
    ['TLS 1.0', ['-tls1', '-cipher', 'ALL@SECLEVEL=0'], 'alert protocol version'],
    ['ciphers without a certificate', ['-tls1_2', '-cipher', 'aNULL@SECLEVEL=0'], 'alert handshake failure'],
    ['ciphers that encrypt nothing', ['-tls1_2', '-cipher', 'eNULL@SECLEVEL=0'], 'alert handshake failure'],
    ['another protocol', ['-alpn', 'http/1.1'], 'alert no application protocol'],
  ];
  test.for(refused)('is refused %s', async ([, how, alert]) => {
    const heard = await handshake(vip, ...explicit, ...how);
    expect(heard).toContain(alert);
    expect(heard).not.toMatch(served);
  });

  test('is refused a version that was ruled out', async () => {
    const how = [...explicit, '-cert', alice] as const;
    expect(await handshake(strict.listener, ...how, '-tls1_2')).toContain('alert protocol version');
    expect(await handshake(strict.listener, ...how, '-tls1_3')).toMatch(served);
  });

  const names: readonly (readonly [string, readonly string[], string])[] = [
    ['the first name', ['-servername', 'first.example'], 'first'],
    ['the second name', ['-servername', 'second.example'], 'second'],
    ['one that a wildcard has', ['-servername', 'any.files.example'], 'second'],
    ['a name that nobody has', ['-servername', 'other.example'], 'first'],
    ['no name', ['-noservername'], 'first'],
  ];
  test.for(names)('that asks for %s is shown the right certificate', async ([, how, name]) => {
    const heard = await handshake(vip, ...explicit, ...how);
    expect(heard).toMatch(new RegExp(`^subject=.*CN ?= ?${name}$`, 'mu'));
    expect(heard).toMatch(served);
  });

  test.for(['ftp', 'http/1.1,ftp'])('that speaks %s is taken at its word', async (protocols) => {
    const heard = await handshake(vip, ...explicit, '-alpn', protocols);
    expect(heard).toContain('ALPN protocol: ftp');
    expect(heard).toMatch(served);
  });

  test.for(['-tls1_2', '-tls1_3'])('is known by its certificate with %s', async (version) => {
    const listener = version === '-tls1_3' ? strict.listener : vip;
    const heard = await handshake(listener, ...explicit, version, '-cert', alice);
    expect(heard).toMatch(served);
    const from = version === '-tls1_3' ? strict : balancer;
    await from.said({ event: 'ftp.session.end', subject: 'CN=alice,O=Tests' });
  });

  test('is refused with the certificate of a stranger', async () => {
    const heard = await handshake(vip, ...explicit, '-cert', stranger);
    expect(heard).not.toMatch(served);
    await balancer.said({ event: 'ftp.tls-failed', reason: 'certificate', leg: 'client' });
  });

  test('is refused without a certificate where there has to be one', async () => {
    expect(await handshake(strict.listener, ...explicit)).not.toMatch(served);
    await strict.said({ event: 'ftp.tls-failed', leg: 'client', channel: 'control' });
  });

  test('resumes its last session unless that is to prove whose data connections are', async () => {
    const ticket = path.join(folder, 'ticket');
    const reused = /^Reused, /mu;
    const how = [...explicit, '-cert', alice] as const;
    for (const [listener, isTaken] of [
      [strict.listener, true],
      [vip, false],
    ] as const) {
      await handshake(listener, ...how, '-sess_out', ticket);
      const heard = await handshake(listener, ...how, '-sess_in', ticket);
      expect(heard).toMatch(served);
      expect(reused.test(heard)).toBe(isTaken);
    }
  });

  test('that wants to negotiate once more ends its own session alone', async () => {
    const args = commandLine(vip, ...explicit, '-tls1_2', '-legacy_renegotiation');
    const led = [args, args].map((line) => new Program(requirePeer('openssl'), line, { isLed: true }));
    for (const program of led) {
      await hears(program, /^ *Protocol *: TLSv1.2$/mu);
      program.type('noop\n');
      await hears(program, /200 I successfully/u);
    }
    const [one, other] = led;
    // Its order to negotiate; it gives up when it is refused.
    one?.type('R\n');
    expect((await one?.ended)?.stderr).toContain('no renegotiation');
    other?.type('quit\n');
    await other?.ended;
    expect(other?.stdout).toMatch(served);
  });
});
