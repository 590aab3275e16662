/** What proxies in front say of their clients: who is believed, what is read, and what is refused. */
import { once } from 'node:events';
import { afterAll, describe, expect, test } from 'vitest';
import { formatPort } from '../../src/ftp/endpoints.ts';
import { encodeProxyHeader } from '../../src/net/proxy-header.ts';
import type { Balancer } from '../helpers/balancer.ts';
import { cleanUp } from '../helpers/clean-up.ts';
import { freePort } from '../helpers/ftp-daemons.ts';
import { content, isContent } from '../helpers/ftp-transfers.ts';
import type { FtpClient } from '../helpers/ftp-client.ts';
import { until } from '../helpers/processes.ts';
import { TlsForger } from '../helpers/tls-forger.ts';
import { Bystander } from './bystander.ts';
import { connectTo, startFtpBalancer, startFtpServer } from './ftp.ts';
import { certificate, counted, RawClient } from './ftps-raw.ts';

afterAll(cleanUp);

const proxy = '127.0.0.9';
const trusting = `--proxy-protocol-from=${proxy}`;
const real = { address: '192.0.2.50', port: 40_000 };
const reached = { address: '198.51.100.1', port: 21 };
const signature = '\r\n\r\n\0\r\nQUIT\n';

/** A header of version 2; `length` is what it says of itself. */
function binary(command: number, kind: number, body: Uint8Array, length = body.length): Buffer {
  const start = Buffer.from(signature, 'latin1');
  return Buffer.concat([start, Uint8Array.of(command, kind, length >> 8, length & 0xff), body]);
}

const text = (line: string): Buffer => Buffer.from(`${line}\r\n`, 'latin1');
const ipv4 = Uint8Array.of(192, 0, 2, 50, 198, 51, 100, 1, 0x9c, 0x40, 0, 21);
const ipv6 = Buffer.from(`20010db8${'0'.repeat(23)}1${'0'.repeat(20)}ffffc00002099c400015`, 'hex');
/** A name, a checksum that is wrong, the facts of TLS, and nothing. */
const values = Buffer.from('0200016103000400000000200005010000000004000000', 'hex');
const big = Buffer.concat([ipv4, Buffer.alloc(4_084, 4)]);

const proxied = { client: '192.0.2.50:40000', vip: '198.51.100.1:21' };
const ofProxy = { client: expect.stringMatching(/^127\.0\.0\.9:\d+$/u) as unknown };

const believed: readonly (readonly [string, Buffer, Record<string, unknown>])[] = [
  ['v1 TCP4', text('PROXY TCP4 192.0.2.50 198.51.100.1 40000 21'), proxied],
  [
    'v1 TCP6',
    text('PROXY TCP6 2001:DB8::1 2001:db8:0::2 40000 21'),
    { client: '[2001:db8::1]:40000', vip: '[2001:db8::2]:21' },
  ],
  ['v1 TCP6 with IPv4 in it', text('PROXY TCP6 ::ffff:192.0.2.50 ::ffff:198.51.100.1 40000 21'), proxied],
  ['v1 UNKNOWN', text('PROXY UNKNOWN'), ofProxy],
  ['v1 UNKNOWN of 107 bytes', text('PROXY UNKNOWN '.padEnd(105, 'x')), ofProxy],
  ['v2 IPv4', binary(0x21, 0x11, ipv4), proxied],
  ['v2 IPv6', binary(0x21, 0x21, ipv6), { client: '[2001:db8::1]:40000', vip: '192.0.2.9:21' }],
  ['v2 with type-length-values', binary(0x21, 0x11, Buffer.concat([ipv4, values])), proxied],
  ['v2 of the largest size', binary(0x21, 0x11, big), proxied],
  ['v2 LOCAL', binary(0x20, 0, Buffer.alloc(0)), ofProxy],
  ['v2 LOCAL with addresses', binary(0x20, 0x11, ipv4), ofProxy],
  ['v2 AF_UNSPEC', binary(0x21, 0, Buffer.alloc(7)), ofProxy],
  ['v2 AF_UNIX', binary(0x21, 0x31, Buffer.alloc(216, 0x2f)), ofProxy],
];

const refused: readonly (readonly [string, Buffer])[] = [
  ['v1 of 108 bytes', text('PROXY UNKNOWN '.padEnd(106, 'x'))],
  ['v1 without its end', Buffer.from('PROXY UNKNOWN '.padEnd(5_000, 'x'))],
  ['v1 ended by LF', Buffer.from('PROXY TCP4 192.0.2.50 198.51.100.1 40000 21\n')],
  ['v1 with IPv4 for IPv6', text('PROXY TCP6 192.0.2.50 198.51.100.1 40000 21')],
  ['v1 with a name', text('PROXY TCP4 localhost 198.51.100.1 40000 21')],
  ['v1 with an octet of 256', text('PROXY TCP4 192.0.2.256 198.51.100.1 40000 21')],
  ['v1 with a port of 65536', text('PROXY TCP4 192.0.2.50 198.51.100.1 65536 21')],
  ['v1 with a zone', text('PROXY TCP6 fe80::1%lo fe80::2 40000 21')],
  ['v1 with two lines in one', text('PROXY TCP4 192.0.2.50 198.51.100.1 40000 21\rPROXY UNKNOWN')],
  ['v2 of 65535 bytes', binary(0x21, 0x11, Buffer.alloc(70_000), 65_535)],
  ['v2 of 4097 bytes', binary(0x21, 0x11, Buffer.alloc(4_097))],
  ['v2 too short for its addresses', binary(0x21, 0x21, ipv4)],
  ['v2 of version 3', binary(0x31, 0x11, ipv4)],
  ['v2 of another command', binary(0x2f, 0x11, ipv4)],
  ['v2 of another family', binary(0x21, 0xf1, ipv4)],
  ['a command', text('USER joe')],
  ['TLS', Buffer.from('16030100', 'hex')],
  ['noise', Buffer.alloc(2_000, 0xff)],
];

describe('a trusted proxy', () => {
  test('is believed, however its header comes', async () => {
    const balancer = await startFtpBalancer([await startFtpServer()], trusting);
    for (const [name, header, expected] of believed) {
      for (const isBytewise of [false, true]) {
        const client = new RawClient(balancer.listener, proxy);
        const said = Buffer.concat([header, Buffer.from('NOOP\r\nQUIT\r\n')]);
        const pieces = isBytewise && said.length < 300 ? Array.from(said, (byte) => [byte]) : [[...said]];
        for (const piece of pieces) client.write(Uint8Array.from(piece));
        for (const code of ['220', '200', '221']) await client.reply(code);
        await client.over();
        const lines = (): ReturnType<Balancer['lines']> =>
          balancer.lines().filter(({ event }) => event === 'ftp.session.end');
        const count = 2 * believed.findIndex(([other]) => other === name) + (isBytewise ? 2 : 1);
        await until('a line for each', () => lines().length === count || undefined);
        expect([name, lines().at(-1)]).toMatchObject([name, expected]);
      }
    }
  });

  test('is refused what is none, before any server hears of it', async () => {
    const server = await startFtpServer();
    const balancer = await startFtpBalancer([server], trusting);
    const bystander = await Bystander.start(balancer, server);
    const before = balancer.descriptors();
    for (const [, said] of refused) {
      const client = new RawClient(balancer.listener, proxy);
      client.write(said);
      await client.over();
      expect(client.heard).toBe('');
    }
    await counted(balancer, 'requests_rejected_total', { reason: 'proxy-header' }, refused.length);
    expect(server.server.sessions.length).toBe(1);
    await until('all are given back', () => balancer.descriptors() === before || undefined);
    await bystander.expectUndisturbed();
  });

  test('that says a part and then nothing is waited for no longer than allowed', async () => {
    const server = await startFtpServer();
    const balancer = await startFtpBalancer([server], trusting, '--proxy-protocol-timeout=300ms');
    const headers = [Buffer.alloc(0), text('PROXY UNKNOWN'), binary(0x21, 0x11, ipv4)];
    const silent = headers.flatMap((header) =>
      Array.from({ length: 20 }, () => {
        const client = new RawClient(balancer.listener, proxy);
        client.write(header.subarray(0, -1));
        return client;
      }),
    );
    for (const client of silent) await client.over();
    await counted(balancer, 'requests_rejected_total', { reason: 'proxy-header' }, silent.length);
    expect(server.server.sessions.length).toBe(0);
  });

  test('says it once: a second header ends the session', async () => {
    const balancer = await startFtpBalancer([await startFtpServer()], trusting);
    const client = new RawClient(balancer.listener, proxy);
    const header = text('PROXY TCP4 192.0.2.50 198.51.100.1 40000 21');
    client.write(Buffer.concat([header, text('PROXY TCP4 203.0.113.9 198.51.100.1 40000 21')]));
    await client.reply('421');
    await client.over();
    await balancer.said({ event: 'ftp.session.end', end: 'proxy-header', ...proxied });
  });
});

describe('a header of somebody who is not trusted', () => {
  test.each([
    ['v1', text('PROXY TCP4 192.0.2.50 198.51.100.1 40000 21')],
    ['v2', binary(0x21, 0x11, ipv4)],
  ])('of %s ends the session, and is not believed', async (_, header) => {
    const server = await startFtpServer();
    const balancer = await startFtpBalancer([server], trusting);
    const client = new RawClient(balancer.listener);
    client.write(Buffer.concat([header, text('USER joe')]));
    await client.over();
    const line = await balancer.said({ event: 'ftp.session.end' });
    expect(line['client']).toMatch(/^127\.0\.0\.1:/u);
    expect(server.server.sessions.flatMap(({ heard }) => heard)).not.toContain('USER joe');
  });
});

/** Passes on a connection of `source`, which has logged in. */
async function passedOn(balancer: Balancer, source: string): Promise<FtpClient> {
  const client = await connectTo(balancer.listener, proxy);
  client.control.write(encodeProxyHeader(2, { address: source, port: 40_000 }, balancer.listener));
  return client.login();
}

describe('the client behind a proxy', () => {
  test('is whose data connections are taken, and they have no header', async () => {
    const server = await startFtpServer();
    const balancer = await startFtpBalancer([server], trusting);
    const client = await passedOn(balancer, '127.0.0.1');
    // From the address of the proxy, which is not the client.
    const to = await client.epsv();
    await new RawClient(to, proxy).over();
    await balancer.said({ event: 'ftp.data-refused', leg: 'client', reason: 'foreign-peer' });
    client.send('STOR copy');
    const data = await client.connect(to, { address: '127.0.0.1', port: 0 });
    data.socket.write(content);
    data.socket.end();
    expect([await client.line(), await client.line()]).toEqual(['150 go on', '226 done']);
    expect(isContent(server.server.files.get('copy'))).toBe(true);
    await balancer.said({ event: 'ftp.transfer', client: '127.0.0.1:40000', result: 'ok' });
  });

  test('is whose address PORT has to name', async () => {
    const balancer = await startFtpBalancer([await startFtpServer()], trusting);
    const client = await passedOn(balancer, real.address);
    expect(await client.ask(`PORT ${formatPort(proxy, 5_000)}`)).toMatch(/^501 /u);
    expect(await client.ask(`PORT ${formatPort('127.0.0.1', 5_000)}`)).toMatch(/^501 /u);
    expect(await client.ask(`PORT ${formatPort(real.address, 5_000)}`)).toMatch(/^200 /u);
    await balancer.said({ event: 'ftp.refused', reason: 'foreign-address', client: proxied.client });
  });

  test('is whom access rules, limits and rates are for', async () => {
    const flags = ['--deny=192.0.2.66', '--ftp-max-sessions-per-client=1', '--rate=2/h'];
    const balancer = await startFtpBalancer([await startFtpServer()], trusting, ...flags);
    const greeting = async (source: string): Promise<string> => {
      const client = await connectTo(balancer.listener, proxy);
      client.control.write(encodeProxyHeader(1, { address: source, port: 1 }, reached));
      return client.line();
    };
    expect(await greeting('192.0.2.66')).toBe('421 Service not available to your address.');
    expect(await greeting('192.0.2.1')).toMatch(/^220 /u);
    expect(await greeting('192.0.2.1')).toMatch(/^421 Too many connections from your address/u);
    expect(await greeting('192.0.2.1')).toMatch(/^421 Too many connections in a short time/u);
    expect(await greeting('192.0.2.2')).toMatch(/^220 /u);
    await balancer.said({ event: 'session.reject', reason: 'denied-address', client: '192.0.2.66:1' });
  });

  test('is who stays with a server', async () => {
    const servers = [await startFtpServer({ name: 'a' }), await startFtpServer({ name: 'b' })];
    const balancer = await startFtpBalancer(servers, trusting, '--affinity=1h');
    const greetings = new Map<string, Set<string>>();
    for (let round = 0; round < 3; round += 1) {
      for (const source of ['192.0.2.1', '192.0.2.2', '192.0.2.3', '192.0.2.4']) {
        const client = await connectTo(balancer.listener, proxy);
        client.control.write(encodeProxyHeader(2, { address: source, port: 1 }, reached));
        const heard = greetings.get(source) ?? new Set();
        greetings.set(source, heard.add(await client.line()));
        await client.ask('QUIT');
      }
    }
    expect([...greetings.values()].map((heard) => heard.size)).toEqual([1, 1, 1, 1]);
    expect(new Set([...greetings.values()].flatMap((heard) => Array.from(heard))).size).toBe(2);
  });
});

describe('TLS behind a header', () => {
  const header = encodeProxyHeader(2, real, reached);

  test('begins with AUTH in the same segment', async () => {
    const flags = [trusting, '--ftp-tls=required', `--tls-cert=${certificate}`];
    const balancer = await startFtpBalancer([await startFtpServer()], ...flags);
    const client = new RawClient(balancer.listener, proxy);
    client.write(Buffer.concat([header, text('AUTH TLS')]));
    await client.reply('220');
    await client.reply('234');
    const forger = await TlsForger.on(client.socket, 'TLSv1.3');
    forger.raw.write(forger.line('QUIT'));
    await balancer.said({ event: 'ftp.session.end', end: 'quit', clientTls: 'TLSv1.3', ...proxied });
  });

  test('begins in the same segment where it is implicit', async () => {
    const port = await freePort('127.0.0.1');
    const flags = [trusting, `--ftps-port=${port}`, `--tls-cert=${certificate}`];
    const balancer = await startFtpBalancer([await startFtpServer()], ...flags);
    const { socket } = new RawClient({ address: '127.0.0.1', port }, proxy);
    await once(socket, 'connect');
    socket.cork();
    socket.write(header);
    setImmediate(() => socket.uncork());
    const forger = await TlsForger.on(socket, 'TLSv1.3');
    forger.raw.write(forger.line('QUIT'));
    await balancer.said({ event: 'ftp.session.end', end: 'quit', clientTls: 'TLSv1.3', ...proxied });
    const naked = new RawClient({ address: '127.0.0.1', port });
    naked.write(header);
    await naked.over();
    await balancer.said({ event: 'ftp.tls-failed', leg: 'client', reason: 'protocol' });
  });
});
