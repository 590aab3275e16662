/** What servers say in place of a greeting, and what their clients hear of it. */
import { describe, expect, it } from 'vitest';
import type { FtpClient } from '../../helpers/ftp-client.ts';
import {
  expectNothingLeft,
  type FtpLab,
  type FtpLabOptions,
  ftpService,
  useFtpLab,
} from '../../helpers/ftp-lab.ts';
import type { FtpServer, ServerSession } from '../../helpers/ftp-server.ts';
import { bytes } from '../../contract/net-tcp-scene.ts';

const startLab = useFtpLab();
let lab: FtpLab;
/** The one that is asked first, which says nothing by itself. */
let first: FtpServer;

async function start(options: FtpLabOptions = {}): Promise<void> {
  ({ lab, server: first } = await startLab(options));
  first.greeting = undefined;
}

/** A client, and its session at the first server. */
async function connect(): Promise<[FtpClient, ServerSession]> {
  const client = await lab.client();
  await lab.until('a session', () => first.sessions.length > 0);
  return [client, first.last];
}

/** The session ends well; the client has heard of nothing else. */
async function expectWhole(client: FtpClient, greeting: string): Promise<void> {
  await client.login();
  expect(await client.ask('QUIT')).toBe('221 bye');
  client.control.end();
  await expectNothingLeft(lab);
  expect(client.ear.data.split('\r\n')).toEqual([greeting, '331 password?', '230 welcome', '221 bye', '']);
}

const mixture = Array.from({ length: 256 }, (_, code) => String.fromCharCode(code)).join('');

describe('a server that greets with', () => {
  it('120 and then 220 is waited for', async () => {
    await start({ backends: 1 });
    const [client, session] = await connect();
    session.say('120 ready in a moment');
    await lab.pass(9_000);
    session.say('120-still\r\n120 busy');
    await lab.pass(9_000);
    session.say('220 at last');
    await expectWhole(client, '220 at last');
    expect(lab.of('ftp.session.end')).toMatchObject([{ end: 'quit', tries: 1 }]);
    expect(lab.of('backend.suspect')).toEqual([]);
  });

  it('120 and then nothing is given up', async () => {
    await start();
    const [client, session] = await connect();
    session.say('120 ready in a moment');
    await expectWhole(client, '220 b1 ready');
    expect(lab.of('backend.suspect')).toMatchObject([{ backend: 'b0', reason: 'silent' }]);
    expect(session.events).toEqual(['reset']);
  });

  it.each<[string, string]>([
    ['bytes of all kinds', mixture],
    ['SSH', 'SSH-2.0-OpenSSH_9.9\r\n'],
    ['HTTP', 'HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n'],
    ['220 with a NUL in it', '220 a\x00b\r\n'],
    ['TLS', '\x15\x03\x01\x00\x02\x02\x0a\r\n'],
    ['a line without an end', 'x'.repeat(100_000)],
    ['a greeting without an end', `220-${'x\r\n'.repeat(1_000_000)}`],
    ['421', '421 too many\r\n'],
    ['425', '425 no data here\r\n'],
    ['450', '450 busy\r\n'],
    ['550', '550 go away\r\n'],
    ['552', '552 full\r\n'],
    ['a success of something else', '226 done\r\n'],
  ])('%s is left for the next one', async (_, text) => {
    await start();
    const [client, session] = await connect();
    client.send('USER joe');
    session.control.write(bytes(text));
    expect(await client.line()).toBe('220 b1 ready');
    expect(await client.line()).toBe('331 password?');
    expect(await client.ask('QUIT')).toBe('221 bye');
    client.control.end();
    await expectNothingLeft(lab);
    expect(session.heard).toEqual([]);
    expect(session.events).toEqual(['reset']);
    expect(lab.of('session.failover')).toMatchObject([{ from: 'b0', to: 'b1', reason: 'refused' }]);
    expect(lab.of('backend.suspect')).toMatchObject([{ backend: 'b0', reason: 'refused' }]);
    expect(lab.of('ftp.session.end')).toMatchObject([{ end: 'quit', backend: 'b1', tries: 2 }]);
  });

  it('a greeting after 20 s has lost its client to the next one', async () => {
    await start();
    const [client, session] = await connect();
    lab.net.setTimer(20_000, () => session.say('220 good morning'));
    await lab.pass(19_000);
    await expectWhole(client, '220 b1 ready');
    await lab.pass(10_000);
    expect(lab.of('session.failover')).toMatchObject([{ from: 'b0', to: 'b1', reason: 'silent' }]);
    expect(lab.of('ftp.session.end')).toMatchObject([{ end: 'quit', backend: 'b1', tries: 2 }]);
  });

  it('a greeting after 20 s is waited for where it may take that long', async () => {
    await start({ service: { timing: { ...ftpService.timing, greeting: 30_000 } } });
    const [client, session] = await connect();
    lab.net.setTimer(20_000, () => session.say('220 good morning'));
    await lab.pass(21_000);
    await expectWhole(client, '220 good morning');
    expect(lab.of('ftp.session.end')).toMatchObject([{ end: 'quit', backend: 'b0', tries: 1 }]);
  });

  it('nothing at all, as all others do, leaves its client with 421', async () => {
    await start({ backends: 1 });
    const [client] = await connect();
    expect(await client.line()).toBe('421 Service not available, closing control connection.');
    client.control.end();
    await expectNothingLeft(lab);
    expect(lab.of('ftp.session.end')).toMatchObject([{ end: 'no-backend', tries: 1, commands: 0 }]);
  });
});
