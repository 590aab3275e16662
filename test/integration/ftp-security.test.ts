/** Data connections that somebody wants to go where they do not belong: theft, bounces, and words that look like commands. */
import { connect } from 'node:net';
import { afterAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { formatEprt, formatPort, parsePort } from '../../src/ftp/endpoints.ts';
import type { Endpoint } from '../../src/net/net.ts';
import type { Balancer } from '../helpers/balancer.ts';
import type { FtpClient } from '../helpers/ftp-client.ts';
import type { ServerSession } from '../helpers/ftp-server.ts';
import { content, download, isContent } from '../helpers/ftp-transfers.ts';
import { stopAll, until } from '../helpers/processes.ts';
import { Bystander } from './bystander.ts';
import {
  connectTo,
  loginTo,
  net,
  startFtpBalancer,
  startFtpServer,
  verbsOf,
  type RunningServer,
} from './ftp.ts';

afterAll(stopAll);

const stranger = '127.0.0.2';

/** What the stranger gets who connects and writes, once the connection is over. */
function rob({ address, port }: Endpoint): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ host: address, port, localAddress: stranger });
    let loot = '';
    socket.on('data', (data) => (loot += data.toString('latin1')));
    socket.on('error', () => undefined).once('close', () => resolve(loot));
    socket.write('malice');
  });
}

/** Waits until so many data connections of a leg were refused for being the stranger's. */
async function expectStrangers(balancer: Balancer, leg: string, count: number): Promise<void> {
  const refused = { event: 'ftp.data-refused', leg, reason: 'foreign-peer', level: 'warn' };
  expect((await balancer.said(refused))['peer']).toMatch(/^127\.0\.0\.2:\d+$/u);
  const metric = 'tftplb_ftp_refused_data_connections_total';
  expect(await balancer.metric(metric, { leg, reason: 'foreign-peer' })).toBe(count);
}

describe('somebody else’s data connection', () => {
  test('to the port of a passive client is reset, and the client gets its file all the same', async () => {
    const server = await startFtpServer();
    const balancer = await startFtpBalancer([server]);
    const bystander = await Bystander.start(balancer, server);
    const client = await loginTo(balancer.listener);

    const from = await client.epsv();
    const early = await Promise.all(Array.from({ length: 5 }, () => rob(from)));
    client.send('RETR file');
    await until('the server is asked', () => verbsOf(server).includes('RETR') || undefined);
    expect([...early, await rob(from)].join('')).toBe('');
    const { socket, ear } = await client.connect(from);
    await client.until('the end of data', () => ear.events.includes('end'));
    socket.end();
    expect([await client.line(), await client.line()]).toEqual(['150 here it comes', '226 done']);
    expect(Buffer.concat(ear.chunks).equals(content)).toBe(true);

    const to = await client.pasv();
    await rob(to);
    client.send('STOR copy');
    const data = await client.connect(to);
    data.socket.write(content);
    data.socket.end();
    expect([await client.line(), await client.line()]).toEqual(['150 go on', '226 done']);
    expect(isContent(server.server.files.get('copy'))).toBe(true);
    await expectStrangers(balancer, 'client', 7);
    await bystander.expectUndisturbed();
  });

  test('to the port that an active server is told is reset, too', async () => {
    const server = await startFtpServer();
    const send = server.server.handlers['RETR'];
    const balancer = await startFtpBalancer([server], '--backend-data=active');
    const bystander = await Bystander.start(balancer, server);
    let loot: string | undefined;
    server.server.handlers['RETR'] = async (session, name) => {
      const at = parsePort(session.heard.at(-2)?.slice('PORT '.length) ?? '');
      if (at.kind === 'endpoint') loot = await rob(at);
      await send?.(session, name);
    };
    await download(await loginTo(balancer.listener), 'EPSV');
    expect(loot).toBe('');
    await expectStrangers(balancer, 'backend', 1);
    await bystander.expectUndisturbed();
  });
});

/** Somebody at 127.0.0.2 who must not be connected to. */
interface Decoy extends Endpoint {
  readonly victims: () => number;
}

async function startDecoy(): Promise<Decoy> {
  let victims = 0;
  const listener = await net.listenTcp(
    { address: stranger, port: 0 },
    {
      onConnection: (socket) => {
        victims += 1;
        socket.reset();
      },
      onError: () => undefined,
    },
  );
  onTestFinished(() => listener.close());
  const { address, port } = listener;
  return { address, port, victims: () => victims };
}

describe('a client that names somebody else', () => {
  test('is refused, nobody is connected to, and the server hears nothing of it', async () => {
    const server = await startFtpServer();
    const balancer = await startFtpBalancer([server]);
    const bystander = await Bystander.start(balancer, server);
    const heard = verbsOf(server).length;
    const decoy = await startDecoy();
    const client = await loginTo(balancer.listener);
    const attempts = [
      ['foreign-address', `PORT ${formatPort(stranger, decoy.port)}`],
      ['foreign-address', `EPRT ${formatEprt(stranger, decoy.port)}`],
      ['foreign-address', `PORT ${formatPort('192.0.2.1', 50_000)}`],
      ['foreign-address', `PORT ${formatPort('0.0.0.0', 50_000)}`],
      ['privileged-port', `PORT ${formatPort('127.0.0.1', 22)}`],
      ['privileged-port', `EPRT ${formatEprt('127.0.0.1', 22)}`],
    ] as const;
    for (const [reason, command] of attempts) {
      expect(await client.ask(command)).toMatch(/^501 /u);
      expect(await client.ask('RETR file')).toMatch(/^425 /u);
      await balancer.said({ event: 'ftp.refused', reason, command: command.slice(0, 4) });
    }
    expect(decoy.victims()).toBe(0);
    expect(verbsOf(server).length).toBe(heard);
    const metric = 'tftplb_ftp_refused_commands_total';
    expect(await balancer.metric(metric, { reason: 'foreign-address' })).toBe(4);
    expect(await balancer.metric(metric, { reason: 'privileged-port' })).toBe(2);
    await download(client, 'PORT');
    await bystander.expectUndisturbed();
  });
});

describe('words that look like commands or replies', () => {
  let server: RunningServer;
  let balancer: Balancer;
  let bystander: Bystander;
  let decoy: Decoy;
  let client: FtpClient;
  /** A reply and a command that lead to the decoy. */
  let lure: string;
  let order: string;

  beforeEach(async () => {
    server = await startFtpServer();
    // An address in a proper answer would be followed.
    balancer = await startFtpBalancer([server], '--backend-pasv-address=trust');
    bystander = await Bystander.start(balancer, server);
    decoy = await startDecoy();
    client = await loginTo(balancer.listener);
    lure = `227 Entering Passive Mode (${formatPort(decoy.address, decoy.port)}).`;
    order = `PORT ${formatPort(decoy.address, decoy.port)}`;
  });

  /** Expects that nobody was lured, and that both sessions go on. */
  async function expectNothingHappened(): Promise<void> {
    await download(client, 'EPSV');
    await download(client, 'PORT');
    await bystander.expectUndisturbed();
    expect(decoy.victims()).toBe(0);
  }

  test('are a name like any other in the name of a file', async () => {
    const { files } = server.server;
    for (const name of [lure, order, `229 (|||${decoy.port}|)`]) {
      files.set(name, content);
      const { socket, ear } = await client.connect(await client.epsv());
      expect(await client.ask(`RETR ${name}`)).toBe('150 here it comes');
      await client.until('the end of data', () => ear.events.includes('end'));
      socket.end();
      expect(await client.line()).toBe('226 done');
      expect(isContent(Buffer.concat(ear.chunks))).toBe(true);
      await balancer.said({ event: 'ftp.transfer', path: name, result: 'ok' });
    }
    await expectNothingHappened();
  });

  test('are passed on in the text of an error, and nobody acts on them', async () => {
    const { handlers } = server.server;
    const errors = [
      `550 ${lure}`,
      `550-no such file:\r\n${lure}\r\n550 ${order}`,
      `550-\r\n ${lure}\r\n${order}\r\n229 Entering Extended Passive Mode (|||${decoy.port}|)\r\n550 end`,
    ];
    for (const error of errors) {
      handlers['SIZE'] = (session) => session.say(error);
      client.send(`SIZE ${lure}`);
      for (const line of error.split('\r\n')) expect(await client.line()).toBe(line);
    }
    await expectNothingHappened();
  });

  test('are no answer to our own PASV and EPSV if the code says otherwise', async () => {
    const { handlers } = server.server;
    const { EPSV, PASV } = handlers;
    Object.assign(handlers, {
      EPSV: (session: ServerSession) => session.say(`500-${lure}\r\n229 (|||${decoy.port}|)\r\n500 ${lure}`),
      PASV: (session: ServerSession) => session.say(`500-\r\n${lure}\r\n500 ${lure}`),
    });
    await client.connect(await client.epsv());
    expect(await client.ask('RETR file')).toMatch(/^4/u);
    Object.assign(handlers, { EPSV, PASV });
    await expectNothingHappened();
  });

  test('are refused behind a CR or NUL in the midst of a line, and a line of their own is a command of its own', async () => {
    const { handlers } = server.server;
    handlers['SIZE'] = (session) => session.say('213 1');
    for (const separator of ['\r', '\0', '\r\0', '\0\r']) {
      expect(await client.ask(`SIZE a${separator}${order}`)).toMatch(
        /^500 Command line has a (?:CR|NUL) in it/u,
      );
    }
    expect(verbsOf(server)).not.toContain('SIZE');
    for (const separator of ['\r\n', '\n']) {
      expect(await client.ask(`SIZE a${separator}${order}`)).toBe('213 1');
      expect(await client.line()).toMatch(/^501 /u);
    }
    await balancer.said({ event: 'ftp.refused', reason: 'malformed' });
    await balancer.said({ event: 'ftp.refused', reason: 'foreign-address', command: 'PORT' });
    expect(await balancer.metric('tftplb_ftp_refused_commands_total', { reason: 'malformed' })).toBe(4);
    await expectNothingHappened();
  });

  test('are not even read behind the request of a browser', async () => {
    const browser = await connectTo(balancer.listener, stranger);
    expect(await browser.line()).toMatch(/^220 /u);
    browser.send(`POST / HTTP/1.1\r\nHost: ftp\r\n\r\nUSER joe\r\nPASS secret\r\n${order}\r\nRETR file`);
    expect(await browser.line()).toMatch(/^421 /u);
    await browser.until('the end', () => browser.ear.events.includes('end'));
    expect(browser.ear.data.split('\r\n').length).toBe(3);
    await balancer.said({ event: 'ftp.session.end', end: 'http' });
    expect(await balancer.metric('tftplb_ftp_sessions_ended_total', { end: 'http' })).toBe(1);
    await expectNothingHappened();
  });
});
