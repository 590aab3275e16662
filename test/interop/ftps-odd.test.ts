/**
 * What goes wrong under TLS, with a real server behind: certificates that prove nothing, bytes in clear where they do not
 * belong, and more data connections than a server gives tickets for.
 */
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { connect as connectTls } from 'node:tls';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { startBalancer, type Balancer } from '../helpers/balancer.ts';
import { makeKeyPair } from '../helpers/certificates.ts';
import { cleanUp } from '../helpers/clean-up.ts';
import { noise, publish, temporaryFolder } from '../helpers/folders.ts';
import { startFtpServer, type FtpServer } from '../helpers/ftp-daemons.ts';
import { Led } from '../helpers/ftps-led.ts';
import { lacks } from '../helpers/peers.ts';
import { ownLoopback } from '../helpers/sockets.ts';

afterAll(cleanUp);

const folder = temporaryFolder('certificates');
const own = makeKeyPair();
const certificate = path.join(folder, 'own.pem');
writeFileSync(certificate, `${own.certificate}${own.key}`, { mode: 0o600 });

interface Secured {
  readonly server: FtpServer;
  readonly file: string;
}

/** vsftpd, with a certificate that `names` are in, or its address if left out. */
async function startSecure(names?: string, isExpired = false): Promise<Secured> {
  const address = ownLoopback();
  const pair = makeKeyPair({ kind: 'rsa', names: names ?? `IP:${address}`, isExpired });
  const file = path.join(folder, `${address}.pem`);
  writeFileSync(file, `${pair.certificate}${pair.key}`, { mode: 0o600 });
  const server = await startFtpServer('vsftpd', address, undefined, { file });
  return { server, file };
}

function start({ server, file }: Secured, ...flags: readonly string[]): Promise<Balancer> {
  const all = [`--tls-cert=${certificate}`, '--ftp-tls=allowed', `--backend-tls-ca=${file}`, ...flags];
  return startBalancer([server], { protocol: 'ftp', flags: all });
}

function lead(balancer: Balancer): Led {
  return new Led(balancer.listener, { ca: own.certificate });
}

describe.skipIf(lacks('vsftpd'))('vsftpd under TLS', () => {
  let secured: Secured;
  let balancer: Balancer;

  beforeAll(async () => {
    secured = await startSecure();
    publish(secured.server.root, 'file', noise(5_000, 'file'));
    balancer = await start(secured, '--backend-tls=required', '--data-tls-resume=require');
  });

  afterEach(({ task }) => {
    if (task.result?.state === 'fail') console.error(balancer.program.stdout.slice(-4_000));
  });

  afterAll(async () => {
    await Promise.all([secured.server, balancer].map(({ program }) => program.stop()));
  });

  test('takes more data connections in a row than it gives tickets', async () => {
    const client = lead(balancer);
    await client.secure();
    await client.login(secured.server);
    for (let n = 0; n < 200; n += 1) {
      const raw = await client.passive();
      client.control.write('RETR file\r\n');
      const tls = await client.tlsOn(raw);
      tls.resume();
      expect(await client.reply()).toBe('150');
      expect(await client.reply()).toBe('226');
      tls.destroy();
    }
    client.close();
    const labels = { leg: 'backend', channel: 'data', resumed: 'false' };
    expect(await balancer.metric('tftplb_ftp_tls_handshakes_total', labels)).toBe(0);
  });

  test('is not reached by a data connection that resumes nothing where that is required', async () => {
    const client = lead(balancer);
    await client.secure();
    await client.login(secured.server);
    const raw = await client.passive();
    client.control.write('RETR file\r\n');
    const tls = connectTls({ socket: raw, ca: own.certificate, host: 'localhost' });
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
  const cases: readonly (readonly [string, string | undefined, boolean, readonly string[]])[] = [
    ['that has expired', undefined, true, []],
    ['for another name', 'DNS:other.example', false, []],
    ['that nobody trusts', undefined, false, [`--backend-tls-ca=${certificate}`]],
  ];

  test.for(cases)('%s is refused, unless that does not matter', async ([, names, isExpired, flags]) => {
    const secured = await startSecure(names, isExpired);
    const strict = await start(secured, '--backend-tls=required', ...flags);
    const client = lead(strict);
    expect(await client.reply()).toBe('421');
    client.close();
    await strict.said({ event: 'ftp.tls-failed', reason: 'certificate', leg: 'backend' });
    const careless = await start(secured, '--backend-tls=required', '--backend-tls-insecure', ...flags);
    const other = lead(careless);
    expect(await other.reply()).toBe('220');
    other.close();
    await careless.said({ finding: 'backend-unverified' });
    await Promise.all([secured.server, strict, careless].map(({ program }) => program.stop()));
  });

  test('counts under the name that it is told to have', async () => {
    const secured = await startSecure('DNS:files.example');
    const balancer = await start(secured, '--backend-tls=required', '--backend-tls-name=files.example');
    const client = lead(balancer);
    expect(await client.reply()).toBe('220');
    client.close();
    await Promise.all([secured.server, balancer].map(({ program }) => program.stop()));
  });
});
