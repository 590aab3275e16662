/**
 * What goes wrong under TLS, with a real server behind: certificates that prove nothing, and bytes in clear where they do
 * not belong.
 */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect as connectTls } from 'node:tls';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { startBalancer, type Balancer } from '../helpers/balancer.ts';
import type { CertificateWish } from '../helpers/certificates.ts';
import { cleanUp } from '../helpers/clean-up.ts';
import { Led } from '../helpers/ftps-led.ts';
import { lacks } from '../helpers/peers.ts';
import { makeFront, startSecure, type SecureServer } from '../helpers/secure-ftp.ts';

afterAll(cleanUp);

const front = makeFront();
const ca = readFileSync(front.ca, 'utf8');

function start({ server, trust }: SecureServer, ...flags: readonly string[]): Promise<Balancer> {
  const all = [...front.flags, '--ftp-tls=allowed', ...trust, ...flags];
  return startBalancer([server], { protocol: 'ftp', flags: all });
}

function lead(balancer: Balancer): Led {
  return new Led(balancer.listener, { ca });
}

describe.skipIf(lacks('vsftpd'))('vsftpd under TLS', () => {
  let secured: SecureServer;
  let balancer: Balancer;

  beforeAll(async () => {
    secured = await startSecure('vsftpd');
    balancer = await start(secured, '--backend-tls=required', '--data-tls-resume=require');
  });

  afterEach(({ task }) => {
    if (task.result?.state === 'fail') console.error(balancer.program.stdout.slice(-4_000));
  });

  afterAll(async () => {
    await Promise.all([secured.server, balancer].map(({ program }) => program.stop()));
  });

  test('is not reached by a data connection that resumes nothing where that is required', async () => {
    const client = lead(balancer);
    await client.secure();
    await client.login(secured.server);
    const raw = await client.passive();
    client.control.write('RETR small\r\n');
    const tls = connectTls({ socket: raw, ca, host: 'localhost' });
    tls.on('error', () => undefined);
    tls.resume();
    while ((await client.reply()) !== '426');
    client.close();
    await balancer.said({ event: 'ftp.tls-failed', reason: 'not-resumed', leg: 'client' });
  });

  test('hears nothing that stood behind AUTH in clear', async () => {
    const client = lead(balancer);
    await client.reply();
    client.control.write('AUTH TLS\r\nNOOP\r\n');
    expect(await client.reply()).toBe('421');
    await balancer.said({ event: 'ftp.session.end', end: 'tls-injection' });
    client.close();
  });

  test('is not reached by a client that never ends its handshake', async () => {
    const patient = await start(secured, '--backend-tls=required', '--tls-handshake-timeout=200ms');
    const client = lead(patient);
    await client.reply();
    await client.ask('AUTH TLS');
    await once(client.raw, 'close');
    await patient.said({ event: 'ftp.tls-failed', reason: 'timeout', leg: 'client', channel: 'control' });
    await patient.program.stop();
  });
});

describe.skipIf(lacks('vsftpd'))('a certificate of a server', () => {
  const cases: readonly (readonly [string, CertificateWish, readonly string[]])[] = [
    ['that has expired', { isExpired: true }, []],
    ['for another name', { names: 'DNS:other.example' }, []],
    ['that nobody trusts', {}, [`--backend-tls-ca=${front.ca}`]],
  ];

  test.for(cases)('%s is refused, unless that does not matter', async ([, wish, flags]) => {
    const secured = await startSecure('vsftpd', {}, wish);
    const strict = await start(secured, '--backend-tls=required', ...flags);
    const client = lead(strict);
    expect(await client.reply()).toBe('421');
    client.close();
    const failed = await strict.said({ event: 'ftp.tls-failed', reason: 'certificate', leg: 'backend' });
    expect(failed['error']).not.toContain('Node.js');
    const careless = await start(secured, '--backend-tls=required', '--backend-tls-insecure', ...flags);
    const other = lead(careless);
    expect(await other.reply()).toBe('220');
    other.close();
    await careless.said({ finding: 'backend-unverified' });
    await Promise.all([secured.server, strict, careless].map(({ program }) => program.stop()));
  });

  test('counts under the name that it is told to have', async () => {
    const secured = await startSecure('vsftpd', {}, { names: 'DNS:files.example' });
    const balancer = await start(secured, '--backend-tls=required', '--backend-tls-name=files.example');
    const client = lead(balancer);
    expect(await client.reply()).toBe('220');
    client.close();
    await Promise.all([secured.server, balancer].map(({ program }) => program.stop()));
  });
});
