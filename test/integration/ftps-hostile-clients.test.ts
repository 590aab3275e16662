/** Clients whose control connections break the rules of TLS, or of what stands around it. */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect as connectTls } from 'node:tls';
import { afterAll, describe, expect, test } from 'vitest';
import type { Balancer } from '../helpers/balancer.ts';
import { cleanUp } from '../helpers/clean-up.ts';
import { freePort } from '../helpers/ftp-daemons.ts';
import { until } from '../helpers/processes.ts';
import { type Forge, helloAgain, recordType, times } from '../helpers/tls-forger.ts';
import { Bystander } from './bystander.ts';
import { type RunningServer, startFtpBalancer, startFtpServer } from './ftp.ts';
import { askForged, certificate, clientHello, counted, forgeOn, RawClient } from './ftps-raw.ts';

afterAll(cleanUp);

const versions = ['TLSv1.2', 'TLSv1.3'] as const;
const flags = ['--ftp-tls=allowed', `--tls-cert=${certificate}`];

interface Stage {
  readonly server: RunningServer;
  readonly balancer: Balancer;
  /** Where TLS begins with the connection. */
  readonly implicit: { readonly address: string; readonly port: number };
}

async function stage(...more: readonly string[]): Promise<Stage> {
  const server = await startFtpServer();
  const port = await freePort('127.0.0.1');
  const balancer = await startFtpBalancer([server], ...flags, `--ftps-port=${port}`, ...more);
  return { server, balancer, implicit: { address: '127.0.0.1', port } };
}

/** Everything that servers were told by others than the bystander. */
function heardBy({ server }: RunningServer): string[] {
  return server.sessions.slice(1).flatMap(({ heard }) => heard);
}

describe('what a client says in clear around AUTH', () => {
  test('is never taken for said within TLS, nor passed on', async () => {
    const { server, balancer } = await stage();
    const bystander = await Bystander.start(balancer, server);
    const hello = await clientHello();
    const behind: readonly Uint8Array[] = [
      Buffer.from('USER joe\r\n'),
      Buffer.from('USER joe\r\nPASS secret\r\nDELE file\r\n'),
      Buffer.from('U'),
      Buffer.from('\r\n'),
      Buffer.from('\0'),
      Buffer.from('AUTH TLS\r\n'),
      hello,
      hello.subarray(0, 3),
    ];
    for (const said of behind) {
      const client = new RawClient(balancer.listener);
      await client.reply('220');
      client.write(Buffer.concat([Buffer.from('AUTH TLS\r\n'), said]));
      await client.reply('421');
      await client.over();
    }
    await counted(balancer, 'ftp_sessions_ended_total', { end: 'tls-injection' }, behind.length);
    expect(heardBy(server)).toEqual([]);
    await bystander.expectUndisturbed();
  });

  test('in a later segment is a fault of TLS', async () => {
    const { server, balancer } = await stage();
    const bystander = await Bystander.start(balancer, server);
    const later = [
      'USER joe\r\nPASS secret\r\n',
      'QUIT\r\n',
      '\r\n\r\n\r\n',
      'GET / HTTP/1.1\r\n\r\n',
      '\0\0\0\0\0',
    ];
    for (const said of later) {
      const client = new RawClient(balancer.listener);
      await client.reply('220');
      client.write('AUTH TLS\r\n');
      await client.reply('234');
      client.write(said);
      await client.over();
    }
    const labels = { leg: 'client', channel: 'control', reason: 'protocol' };
    await counted(balancer, 'ftp_tls_faults_total', labels, later.length);
    expect(heardBy(server)).toEqual([]);
    await bystander.expectUndisturbed();
  });

  test('while a server is asked first ends the session', async () => {
    const asked = Promise.withResolvers<() => void>();
    const handlers = {
      AUTH: (session: { say(text: string): void }) => asked.resolve(() => session.say('234 go')),
    };
    const server = await startFtpServer({ handlers });
    const more = ['--backend-tls=match', '--backend-data-tls=clear', '--backend-tls-insecure'];
    const balancer = await startFtpBalancer([server], ...flags, ...more);
    const client = new RawClient(balancer.listener);
    await client.reply('220');
    client.write('AUTH TLS\r\n');
    const answer = await asked.promise;
    client.write('USER joe\r\n');
    await until('it has come', () => client.socket.bytesWritten === 20 || undefined);
    answer();
    await client.reply('421');
    await client.over();
    await balancer.said({ event: 'ftp.session.end', end: 'tls-injection' });
  });
});

const records: readonly (readonly [string, Forge])[] = [
  ['plaintext', () => Buffer.from('USER joe\r\nDELE file\r\n')],
  ['noise without end', () => Buffer.alloc(4_000_000, 0x99)],
  ['a huge record', () => Buffer.concat([Uint8Array.of(23, 3, 3, 0xff, 0xff), Buffer.alloc(70_000)])],
  ['a fatal alert', (forger) => forger.record(recordType.alert, Uint8Array.of(2, 80))],
  ['masses of empty records', times(10_000, (forger) => forger.record(recordType.data, new Uint8Array()))],
  ['the wish for many handshakes', times(1_000, (forger) => forger.record(recordType.handshake, helloAgain))],
];

describe.each(versions)('within %s', (version) => {
  test('each fault ends the session, and is counted and logged', async () => {
    const { server, balancer } = await stage();
    const bystander = await Bystander.start(balancer, server);
    for (const [, forge] of records) {
      const forger = await forgeOn(balancer.listener, version);
      await askForged(forger, 'USER joe', '331');
      forger.raw.write(forge(forger));
      forger.raw.write(forger.line('DELE file'));
      await until('the end', () => forger.raw.destroyed || undefined);
    }
    const labels = { leg: 'client', channel: 'control', reason: 'protocol' };
    await counted(balancer, 'ftp_tls_faults_total', labels, records.length);
    await balancer.said({ event: 'ftp.tls-failed', reason: 'protocol', leg: 'client', level: 'info' });
    expect(new Set(heardBy(server))).toEqual(new Set(['USER joe']));
    await bystander.expectUndisturbed();
  });

  test('commands may come in records of a byte, and many in one', async () => {
    const { balancer } = await stage();
    const forger = await forgeOn(balancer.listener, version);
    for (const byte of Buffer.from('USER joe\r\n')) {
      forger.raw.write(forger.record(recordType.data, Uint8Array.of(byte)));
    }
    await until('331', () => forger.heard.includes('331 ') || undefined);
    const lines = Buffer.from(`PASS x\r\n${'NOOP\r\n'.repeat(2_000)}`);
    forger.raw.write(forger.record(recordType.data, lines));
    await until('all answers', () => forger.heard.split('\r\n').length === 2_003 || undefined);
    expect(forger.heard.split('200 fine').length).toBe(2_001);
  });
});

/** In kilobytes. */
function memoryOf({ program }: Balancer): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${program.pid}/status`, 'latin1'))?.[1]);
}

describe('a handshake', () => {
  test('that 200 clients begin and never finish costs little, and nobody else notices', async () => {
    const { server, balancer, implicit } = await stage('--tls-handshake-timeout=2s');
    const bystander = await Bystander.start(balancer, server);
    const [descriptors, memory] = [balancer.descriptors(), memoryOf(balancer)];
    const hello = await clientHello();
    // Lengths that promise more than is allowed to be sent, 60 KiB of it.
    const promise = Buffer.concat([Uint8Array.of(0x16, 3, 1, 0x40, 0, 1, 0, 0xff, 0), Buffer.alloc(16_380)]);
    const record = Buffer.concat([Uint8Array.of(0x16, 3, 1, 0x40, 0), Buffer.alloc(16_384)]);
    const starts = [
      Buffer.alloc(0),
      hello.subarray(0, 6),
      hello.subarray(0, -1),
      Buffer.concat([promise, record, record]),
    ];
    const clients = await Promise.all(
      Array.from({ length: 200 }, async (_, at) => {
        const isImplicit = at % 2 === 0;
        const client = new RawClient(isImplicit ? implicit : balancer.listener, `127.0.1.${at}`);
        if (!isImplicit) {
          await client.reply('220');
          client.write('AUTH TLS\r\n');
          await client.reply('234');
        }
        client.write(starts[(at >> 1) % starts.length] ?? '');
        return client;
      }),
    );
    for (const client of clients) await client.over();
    const labels = { leg: 'client', channel: 'control', reason: 'timeout' };
    await counted(balancer, 'ftp_tls_faults_total', labels, 200);
    const line = await balancer.said({ event: 'ftp.tls-failed', reason: 'timeout', leg: 'client' });
    expect(line['error']).toMatch(/no handshake within 2000 ms$/u);
    expect(balancer.saidTimes({ event: 'ftp.tls-failed', reason: 'timeout' })).toBeLessThan(100);
    expect(memoryOf(balancer) - memory).toBeLessThan(100_000);
    await until('all are given back', () => balancer.descriptors() === descriptors || undefined);
    await bystander.expectUndisturbed();
  });

  test('or a header of a proxy that never ends does not keep the balancer from ending', async () => {
    const { balancer, implicit } = await stage(
      '--proxy-protocol-from=127.0.0.9',
      '--tls-handshake-timeout=1m',
    );
    const hello = (await clientHello()).subarray(0, 50);
    const clients = Array.from({ length: 10 }, () => {
      const client = new RawClient(implicit);
      client.write(hello);
      const proxied = new RawClient(implicit, '127.0.0.9');
      proxied.write('PROXY ');
      return [client, proxied];
    });
    await counted(balancer, 'ftp_sessions_started_total', {}, clients.length);
    balancer.program.signal('SIGTERM');
    expect(await balancer.program.ended).toMatchObject({ code: 0 });
    for (const client of clients.flat()) await client.over();
  });

  test('may come byte by byte, but not in more bytes than a handshake has', async () => {
    const { balancer, implicit } = await stage();
    const slow = new RawClient(implicit);
    for (const byte of await clientHello()) slow.write(Uint8Array.of(byte));
    await until('an answer', () => slow.heard.length > 100 || undefined);
    const endless = new RawClient(implicit);
    const record = Buffer.concat([Uint8Array.of(0x16, 3, 1, 0x40, 0), Buffer.alloc(16_384)]);
    endless.write(Uint8Array.of(0x16, 3, 1, 0, 4, 1, 0xff, 0xff, 0xff));
    for (let at = 0; at < 100 && !endless.isOver; at += 1) endless.write(record);
    await endless.over();
    await balancer.said({ event: 'ftp.tls-failed', reason: 'protocol', leg: 'client' });
  });
});

describe('a browser that was led here', () => {
  const body = 'USER joe\r\nPASS secret\r\nDELE file\r\nQUIT\r\n';
  const requests: readonly (readonly [string, string])[] = [
    ['GET', 'GET /DELE HTTP/1.1\r\nHost: ftp\r\n\r\n'],
    ['POST', `POST / HTTP/1.1\r\nHost: ftp\r\nContent-Length: ${body.length}\r\n\r\n${body}`],
    ['a long POST', `POST /${'x'.repeat(9_000)} HTTP/1.1\r\nHost: ftp\r\n\r\n${body}`],
    ['OPTIONS', `OPTIONS /${'%0d%0aDELE'.repeat(900)} HTTP/1.1\r\nHost: ftp\r\n\r\n${body}`],
    ['a method of its own', `DELE / HTTP/1.1\r\nHost: ftp\r\n\r\n${body}`],
    ['HTTP/2', `PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n${body}`],
  ];

  test.each(requests)('says nothing to a server, in clear or within TLS: %s', async (_, request) => {
    const { server, balancer, implicit } = await stage();
    const bystander = await Bystander.start(balancer, server);
    const clear = new RawClient(balancer.listener);
    clear.write(request);
    await clear.reply('421');
    await clear.over();
    const explicit = await forgeOn(balancer.listener, 'TLSv1.3');
    explicit.raw.write(Buffer.concat([explicit.record(23, Buffer.from(request))]));
    await until('the end', () => explicit.raw.destroyed || undefined);
    const tls = connectTls({ host: implicit.address, port: implicit.port, rejectUnauthorized: false });
    tls.on('error', () => undefined).end(request);
    let heard = '';
    tls.on('data', (data: Buffer) => (heard += data.toString('latin1')));
    await once(tls, 'close');
    expect(`${explicit.heard}${heard}`).not.toMatch(/^(?!220|421)\d/mu);
    await counted(balancer, 'ftp_sessions_ended_total', { end: 'http' }, 3);
    expect(heardBy(server)).toEqual([]);
    await bystander.expectUndisturbed();
  });

  test('that asks for HTTP by ALPN gets no handshake, wherever TLS begins', async () => {
    const { balancer, implicit } = await stage();
    for (const ALPNProtocols of [['http/1.1'], ['h2', 'http/1.1'], ['smtp'], ['ftp-data']]) {
      const tls = connectTls({
        host: implicit.address,
        port: implicit.port,
        rejectUnauthorized: false,
        ALPNProtocols,
      });
      await expect(once(tls, 'secureConnect')).rejects.toThrow();
    }
    const labels = { leg: 'client', channel: 'control', reason: 'protocol' };
    await counted(balancer, 'ftp_tls_faults_total', labels, 4);
    const polite = connectTls({
      host: implicit.address,
      port: implicit.port,
      rejectUnauthorized: false,
      ALPNProtocols: ['h2', 'ftp'],
    });
    await once(polite, 'secureConnect');
    expect(polite.alpnProtocol).toBe('ftp');
    polite.destroy();
  });
});
