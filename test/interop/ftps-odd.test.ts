/**
 * What goes wrong under TLS, with a real server behind: uploads that end in every way, certificates that prove nothing,
 * bytes in clear where they do not belong, and more data connections than a server gives tickets for.
 */
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { connect as connectTcp, type Socket } from 'node:net';
import path from 'node:path';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Endpoint } from '../../src/net/net.ts';
import { startBalancer, type Balancer } from '../helpers/balancer.ts';
import { makeKeyPair } from '../helpers/certificates.ts';
import { cleanUp } from '../helpers/clean-up.ts';
import { noise, publish, temporaryFolder } from '../helpers/folders.ts';
import { startFtpServer, type FtpServer } from '../helpers/ftp-daemons.ts';
import { lacks } from '../helpers/peers.ts';
import { until } from '../helpers/processes.ts';
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

/** A client that is led by the hand. */
class Led {
  readonly raw: Socket;
  control: Socket;
  heard = '';
  readonly #maxVersion: 'TLSv1.2' | 'TLSv1.3';
  #session: Buffer | undefined;

  constructor({ address, port }: Endpoint, maxVersion: 'TLSv1.2' | 'TLSv1.3' = 'TLSv1.3') {
    this.raw = connectTcp({ host: address, port });
    this.control = this.raw;
    this.#maxVersion = maxVersion;
    this.#listen(this.raw);
  }

  async reply(): Promise<string> {
    const line = await until('a reply', () => /^\d{3} .*\r\n/m.exec(this.heard)?.[0]);
    this.heard = this.heard.slice(this.heard.indexOf(line) + line.length);
    return line.slice(0, 3);
  }

  ask(command: string): Promise<string> {
    this.control.write(`${command}\r\n`);
    return this.reply();
  }

  async secure(): Promise<void> {
    await this.reply();
    expect(await this.ask('AUTH TLS')).toBe('234');
    this.raw.removeAllListeners('data');
    const tls = this.#tls(this.raw);
    tls.on('session', (session) => (this.#session = session));
    this.#listen(tls);
    this.control = tls;
    await once(tls, 'secureConnect');
  }

  async login({ user, password }: FtpServer): Promise<void> {
    await this.ask(`USER ${user}`);
    expect(await this.ask(`PASS ${password}`)).toBe('230');
    expect(await this.ask('PBSZ 0')).toBe('200');
    expect(await this.ask('PROT P')).toBe('200');
    await this.ask('TYPE I');
  }

  /** An open data connection, before its TLS. */
  async passive(): Promise<Socket> {
    this.control.write('EPSV\r\n');
    const line = await until('229', () => /^229 .*\(\|\|\|(\d+)\|\)/m.exec(this.heard)?.[1]);
    this.heard = '';
    const socket = connectTcp({ host: this.raw.remoteAddress ?? '', port: Number(line) });
    socket.on('error', () => undefined);
    await once(socket, 'connect');
    return socket;
  }

  async tlsOn(socket: Socket): Promise<TLSSocket> {
    const tls = this.#tls(socket);
    tls.on('session', (session) => (this.#session = session));
    await once(tls, 'secureConnect');
    return tls;
  }

  close(): void {
    this.control.destroy();
    this.raw.destroy();
  }

  #tls(socket: Socket): TLSSocket {
    const session = this.#session && { session: this.#session };
    const tls = connectTls({
      socket,
      ca: own.certificate,
      host: 'localhost',
      maxVersion: this.#maxVersion,
      ...session,
    });
    tls.on('error', () => undefined);
    return tls;
  }

  #listen(socket: Socket): void {
    socket.on('error', () => undefined);
    socket.on('data', (data: Buffer) => (this.heard += data.toString('latin1')));
  }
}

const versions = ['TLSv1.2', 'TLSv1.3'] as const;
const payload = noise(300_000, 'upload');

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

  type Ending = 'close_notify' | 'bare FIN' | 'reset';
  const endings: readonly (readonly [Ending, string])[] = [
    ['close_notify', '226'],
    ['bare FIN', '426'],
    ['reset', '426'],
  ];

  for (const version of versions) {
    test.for(endings)(`${version}: an upload that ends by %s gets %s`, async ([ending, code]) => {
      for (let run = 0; run < 10; run += 1) {
        const client = new Led(balancer.listener, version);
        await client.secure();
        await client.login(secured.server);
        const raw = await client.passive();
        const name = `${version}-${ending.replace(' ', '-')}-${run}`;
        client.control.write(`STOR ${name}\r\n`);
        const tls = await client.tlsOn(raw);
        expect(await client.reply()).toBe('150');
        const part = payload.subarray(0, ending === 'close_notify' ? payload.length : 1 + run * 29_999);
        await new Promise((resolve) => tls.write(part, resolve));
        if (ending === 'close_notify') tls.end();
        else if (ending === 'bare FIN') raw.end();
        else raw.resetAndDestroy();
        expect(await client.reply()).toBe(code);
        client.close();
        if (code === '226')
          expect(readFileSync(path.join(secured.server.root, name)).equals(payload)).toBe(true);
      }
    });
  }

  test('takes more data connections in a row than it gives tickets', async () => {
    const client = new Led(balancer.listener);
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
    const client = new Led(balancer.listener);
    await client.secure();
    await client.login(secured.server);
    const raw = await client.passive();
    client.control.write('RETR file\r\n');
    const tls = connectTls({ socket: raw, ca: own.certificate, host: 'localhost' });
    tls.on('error', () => undefined);
    tls.resume();
    await until('426', () => /^426 /m.exec(client.heard) ?? undefined);
    client.close();
    await balancer.said({ event: 'ftp.tls-failed', reason: 'not-resumed', leg: 'client' });
  });

  test('hears nothing that stood behind AUTH in clear', async () => {
    const client = new Led(balancer.listener);
    await client.reply();
    client.control.write('AUTH TLS\r\nNOOP\r\n');
    expect(await client.reply()).toBe('421');
    await balancer.said({ event: 'ftp.session.end', end: 'tls-injection' });
    client.close();
  });

  test('is not reached by a client that never ends its handshake', async () => {
    const patient = await start(secured, '--backend-tls=required', '--tls-handshake-timeout=200ms');
    const client = new Led(patient.listener);
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
    const client = new Led(strict.listener);
    expect(await client.reply()).toBe('421');
    client.close();
    await strict.said({ event: 'ftp.tls-failed', reason: 'certificate', leg: 'backend' });
    const careless = await start(secured, '--backend-tls=required', '--backend-tls-insecure', ...flags);
    const other = new Led(careless.listener);
    expect(await other.reply()).toBe('220');
    other.close();
    await careless.said({ finding: 'backend-unverified' });
    await Promise.all([secured.server, strict, careless].map(({ program }) => program.stop()));
  });

  test('counts under the name that it is told to have', async () => {
    const secured = await startSecure('DNS:files.example');
    const balancer = await start(secured, '--backend-tls=required', '--backend-tls-name=files.example');
    const client = new Led(balancer.listener);
    expect(await client.reply()).toBe('220');
    client.close();
    await Promise.all([secured.server, balancer].map(({ program }) => program.stop()));
  });
});
