/** Clients whose data connections break the rules of TLS: the transfer is broken and told so, and the session goes on. */
import { connect, type Socket } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { once } from 'node:events';
import { afterAll, describe, expect, test } from 'vitest';
import type { TlsVersion } from '../../src/net/tls.ts';
import type { Balancer } from '../helpers/balancer.ts';
import { cleanUp } from '../helpers/clean-up.ts';
import { CutWire } from '../helpers/cut-wire.ts';
import type { Led } from '../helpers/ftps-led.ts';
import type { Handler } from '../helpers/ftp-server.ts';
import { content, isContent } from '../helpers/ftp-transfers.ts';
import { until } from '../helpers/processes.ts';
import { type Forge, recordType, times, TlsForger } from '../helpers/tls-forger.ts';
import { TcpEar } from '../contract/net-tcp-scene.ts';
import { type RunningServer, startFtpBalancer, startFtpServer } from './ftp.ts';
import { certificate, clientHello, counted, ledTo, own } from './ftps-raw.ts';

afterAll(cleanUp);

const versions = ['TLSv1.2', 'TLSv1.3'] as const;
const flags = ['--ftp-tls=required', `--tls-cert=${certificate}`];

interface Stage {
  readonly server: RunningServer;
  readonly balancer: Balancer;
  /** Data connections that the server has accepted. */
  readonly accepted: () => number;
}

async function stage(...more: readonly string[]): Promise<Stage> {
  let accepted = 0;
  const onConnection = (): void => void (accepted += 1);
  const EPSV: Handler = async (session) => session.say(`229 ok (|||${await session.listen(onConnection)}|)`);
  const server = await startFtpServer({ handlers: { EPSV } });
  const balancer = await startFtpBalancer([server], ...flags, ...more);
  return { server, balancer, accepted: () => accepted };
}

/** A transfer whose data connections are open on both legs. A server may never hear of one that is broken before. */
async function begin(led: Led, { accepted }: Stage, command: string): Promise<Socket> {
  const before = accepted();
  const raw = await led.passive();
  led.control.write(`${command}\r\n`);
  await until('the other leg is open', () => accepted() > before || undefined);
  return raw;
}

/** Waits for the final reply, which may have another one in front. */
async function final(led: Led): Promise<string> {
  const code = await led.reply();
  return code === '150' ? led.reply() : code;
}

/** Transfers both ways, as everybody does. */
async function expectGood(led: Led, { server }: RunningServer): Promise<void> {
  const from = await led.passive();
  led.control.write('RETR file\r\n');
  const down = await led.tlsOn(from);
  const chunks: Buffer[] = [];
  down.on('data', (chunk: Buffer) => chunks.push(chunk)).on('end', () => down.end());
  expect(await final(led)).toBe('226');
  await until('the file', () => isContent(Buffer.concat(chunks)) || undefined);
  const to = await led.passive();
  led.control.write('STOR good\r\n');
  (await led.tlsOn(to)).end(content);
  expect(await final(led)).toBe('226');
  expect(isContent(server.files.get('good'))).toBe(true);
  for (const socket of [from, to]) socket.destroy();
}

type Attack = (raw: Socket) => unknown;

const attacks: readonly (readonly [string, Attack])[] = [
  ['plaintext', (raw) => raw.end('a file in clear')],
  ['much plaintext', (raw) => raw.write(Buffer.alloc(3_000_000, 'x'))],
  ['nothing but its end', (raw) => raw.end()],
  ['half a ClientHello and its end', async (raw) => raw.end((await clientHello()).subarray(0, 50))],
  [
    'a ClientHello for old versions alone',
    (raw) =>
      connectTls({ socket: raw, maxVersion: 'TLSv1.1', minVersion: 'TLSv1', ciphers: 'ALL:@SECLEVEL=0' }).on(
        'error',
        () => undefined,
      ),
  ],
  ['a reset', (raw) => raw.resetAndDestroy()],
];

describe('where TLS was agreed on, a data connection', () => {
  test.each(attacks)('of %s breaks its transfer alone', async (_, attack) => {
    const scene = await stage();
    const { server, balancer } = scene;
    const led = await ledTo(balancer.listener);
    for (const command of ['STOR bad', 'RETR file']) {
      const raw = await begin(led, scene, command);
      raw.on('data', () => undefined);
      expect(await led.reply()).toBe('150');
      await attack(raw);
      expect(await led.reply()).toBe('426');
    }
    expect(server.server.files.has('bad')).toBe(false);
    await expectGood(led, server);
  });

  test('whose handshake never ends costs no more than the time of a stall', async () => {
    const scene = await stage('--ftp-stall-timeout=1500ms');
    const { server, balancer } = scene;
    server.server.files.set('empty', new Uint8Array());
    const hello = await clientHello();
    for (const start of [Buffer.alloc(0), hello.subarray(0, 50)]) {
      for (const command of ['STOR bad', 'RETR file', 'RETR empty']) {
        const led = await ledTo(balancer.listener);
        const raw = await begin(led, scene, command);
        raw.write(start);
        expect([await led.reply(), await led.reply()]).toEqual(['150', '426']);
        await expectGood(led, server);
      }
    }
    expect(server.server.files.has('bad')).toBe(false);
  });

  test('whose handshake never ends is given up by ABOR', async () => {
    const scene = await stage();
    const { server, balancer } = scene;
    const { STOR } = server.server.handlers;
    server.server.handlers['STOR'] = (session) => session.say('150 go on');
    server.server.handlers['ABOR'] = (session) => session.say('426 broken\r\n226 given up');
    const led = await ledTo(balancer.listener);
    await begin(led, scene, 'STOR bad');
    expect(await led.reply()).toBe('150');
    expect(await led.ask('ABOR')).toBe('426');
    expect(await led.reply()).toBe('226');
    Object.assign(server.server.handlers, { STOR });
    await expectGood(led, server);
  });
});

test('TLS where none was agreed on breaks nothing but its transfer', async () => {
  const scene = await stage();
  const { server, balancer } = scene;
  const led = await ledTo(balancer.listener);
  expect(await led.ask('PROT C')).toBe('200');
  const raw = await begin(led, scene, 'RETR file');
  const tls = connectTls({ socket: raw, rejectUnauthorized: false });
  await once(tls, 'error');
  raw.resetAndDestroy();
  expect(await final(led)).toMatch(/^(?:226|426)$/u);
  expect(await led.ask('PROT P')).toBe('200');
  await expectGood(led, server);
});

const { alert, data } = recordType;
const breaks: readonly Forge[] = [
  (forger) => forger.record(alert, Uint8Array.of(2, 80)),
  // It says that the other side has got a record that was changed.
  (forger) => forger.record(alert, Uint8Array.of(2, 20)),
  // A close_notify, as anybody could send it.
  () => Uint8Array.of(alert, 3, 3, 0, 2, 1, 0),
  () => Buffer.from('the rest of it in clear'),
  times(100, (forger) => forger.record(data, new Uint8Array())),
];

describe.each(versions)('alerts, plaintext and empty records within %s', (version) => {
  test('are no end of an upload, whatever else may be one', async () => {
    const scene = await stage('--tls-eof=lenient');
    const { server, balancer } = scene;
    for (const forge of breaks) {
      const led = await ledTo(balancer.listener, { maxVersion: version });
      const raw = await begin(led, scene, 'STOR bad');
      const forger = await TlsForger.on(raw, version);
      expect(await led.reply()).toBe('150');
      raw.write(forger.record(data, content.subarray(0, 10_000)));
      raw.end(forge(forger));
      expect(await led.reply()).toBe('426');
      await expectGood(led, server);
    }
    expect(server.server.files.has('bad')).toBe(false);
  });

  test('are no end of a download', async () => {
    const scene = await stage();
    const { server, balancer } = scene;
    server.server.files.set('long', new Uint8Array(20_000_000));
    for (const forge of breaks) {
      const led = await ledTo(balancer.listener, { maxVersion: version });
      const raw = await begin(led, scene, 'RETR long');
      const forger = await TlsForger.on(raw, version);
      expect(await led.reply()).toBe('150');
      raw.write(forge(forger));
      expect(await led.reply()).toBe('426');
      raw.destroy();
      await expectGood(led, server);
    }
  });
});

describe.each(['clear', ...versions])('a download in %s', (kind) => {
  test('whose client ends it and then breaks it is broken, though nothing more is sent to it', async () => {
    const scene = await stage();
    const { server, balancer } = scene;
    const { RETR } = server.server.handlers;
    const broken = Promise.withResolvers<void>();
    server.server.handlers['RETR'] = async (session) => {
      session.say('150 here it comes');
      const socket = await session.data();
      socket.handle(new TcpEar());
      socket.write(content.subarray(0, 1_000));
      await broken.promise;
      socket.end();
      session.say('226 done');
    };
    const led = await ledTo(balancer.listener, kind === 'TLSv1.2' ? { maxVersion: kind } : {});
    if (kind === 'clear') expect(await led.ask('PROT C')).toBe('200');
    const raw = await begin(led, scene, 'RETR file');
    const data = kind === 'clear' ? raw : await led.tlsOn(new CutWire(raw));
    await once(data, 'data');
    data.end();
    await once(raw, 'finish');
    raw.resetAndDestroy();
    await once(raw, 'close');
    broken.resolve();
    expect(await final(led)).toBe('426');
    expect(await balancer.transfers(1)).toEqual(['client-reset 426']);
    Object.assign(server.server.handlers, { RETR });
    expect(await led.ask('PROT P')).toBe('200');
    await expectGood(led, server);
  });
});

/** A session that `led` got from the balancer, as a stranger who has logged in would have one. */
async function ticketOf(balancer: Balancer, version: TlsVersion): Promise<Buffer> {
  const { promise, resolve } = Promise.withResolvers<Buffer>();
  const socket = connect(balancer.listener.port, balancer.listener.address);
  const [greeting] = (await once(socket, 'data')) as [Buffer];
  expect(greeting.toString()).toMatch(/^220 /u);
  socket.write('AUTH TLS\r\n');
  await once(socket, 'data');
  connectTls({ socket, ca: own.certificate, host: 'localhost', maxVersion: version }).on('session', resolve);
  return promise;
}

describe.each(versions)('where a session of %s has to be resumed', (version) => {
  test('that of somebody else is not, and neither is none', async () => {
    const scene = await stage('--data-tls-resume=require');
    const { server, balancer } = scene;
    const led = await ledTo(balancer.listener, { maxVersion: version });
    await expectGood(led, server);
    const strange = await ticketOf(balancer, version);
    for (const session of [strange, undefined]) {
      for (const command of ['STOR bad', 'RETR file']) {
        const raw = await begin(led, scene, command);
        const resumed = session && { session };
        const tls: TLSSocket = connectTls({
          socket: raw,
          ca: own.certificate,
          host: 'localhost',
          maxVersion: version,
          ...resumed,
        });
        let loot = 0;
        tls.on('error', () => undefined).on('data', (chunk: Buffer) => (loot += chunk.length));
        tls.write('malice');
        expect(await final(led)).toBe('426');
        expect(loot).toBe(0);
      }
    }
    expect(server.server.files.has('bad')).toBe(false);
    const labels = { leg: 'client', channel: 'data', reason: 'not-resumed' };
    await counted(balancer, 'ftp_tls_faults_total', labels, 4);
    await expectGood(led, server);
  });
});
