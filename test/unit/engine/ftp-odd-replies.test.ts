/** Servers whose replies and data come in an odd order, in odd pieces, or not at all. */
import { describe, expect, it } from 'vitest';
import type { FtpClient, Heard } from '../../helpers/ftp-client.ts';
import {
  expectNothingLeft,
  type FtpLab,
  type FtpLabOptions,
  ftpService,
  useFtpLab,
} from '../../helpers/ftp-lab.ts';
import { type FtpServer, type Handler, say } from '../../helpers/ftp-server.ts';
import { content, download, isContent, upload } from '../../helpers/ftp-transfers.ts';
import type { TcpSocket } from '../../../src/net/tcp.ts';
import { TcpEar } from '../../contract/net-tcp-scene.ts';

const startLab = useFtpLab();
let lab: FtpLab;
let server: FtpServer;
let client: FtpClient;
let data: Heard;
/** The server's end of the data connection, once it is there. */
let far: { readonly socket: TcpSocket; readonly ear: TcpEar } | undefined;

const { timing } = ftpService;
const broken = '426 Connection closed; transfer aborted.';
const bye = '421 Service not available, closing control connection.';

/** A handler of a transfer that says this, and leaves its data connection to the test. */
function saying(...lines: readonly string[]): Handler {
  return async (session) => {
    for (const line of lines) session.say(line);
    const socket = await session.data();
    const ear = new TcpEar();
    socket.handle(ear);
    far = { socket, ear };
  };
}

/** A client with a data connection, and a server with these handlers. */
async function start(handlers: Record<string, Handler>, options: FtpLabOptions = {}): Promise<void> {
  ({ lab, server } = await startLab({ backends: 1, ...options }));
  Object.assign(server.handlers, handlers);
  server.files.set('file', content);
  far = undefined;
  client = await lab.loggedIn();
  data = await client.connect(await client.epsv());
}

function farEnd(): Promise<NonNullable<typeof far>> {
  return lab.until("the server's data connection", () => far);
}

/** The session is as good as before. */
async function expectSound(): Promise<void> {
  server.restore();
  await download(client, 'EPSV');
  expect(await client.ask('QUIT')).toBe('221 bye');
  await expectOver('quit');
}

/** The session has ended, the client has heard nothing else, and nothing is left. */
async function expectOver(end: string): Promise<void> {
  await lab.until('the end', () => client.ear.events.includes('end'));
  client.control.end();
  data.socket.end();
  await expectNothingLeft(lab);
  expect(client.unread).toBe('');
  expect(lab.of('ftp.session.end')).toMatchObject([{ end }]);
}

function expectTransfer(result: string, code: number): void {
  expect(lab.of('ftp.transfer')).toMatchObject([{ result, code }]);
}

describe('a success', () => {
  it('in one segment with its beginning waits for the data', async () => {
    await start({ RETR: saying('150 go\r\n226 done') });
    client.send('RETR file');
    const { socket } = await farEnd();
    expect(await client.line()).toBe('150 go');
    await lab.pass(1_000);
    expect(client.ear.data).not.toContain('226');
    socket.write(content);
    socket.end();
    await lab.until('the end of data', () => data.ear.events.includes('end'));
    data.socket.end();
    expect(await client.line()).toBe('226 done');
    expect(isContent(Buffer.concat(data.ear.chunks))).toBe(true);
    expectTransfer('ok', 226);
    await expectSound();
  });

  it('before the client has taken the data waits until it has', async () => {
    await start({ RETR: saying('150 go') });
    data.socket.pause();
    client.send('RETR file');
    const { socket, ear } = await farEnd();
    socket.write(content);
    socket.end();
    server.last.say('226 done');
    expect(await client.line()).toBe('150 go');
    await lab.pass(timing.stall - 1_000);
    expect([ear.isClosed, client.ear.data.includes('226')]).toEqual([false, false]);
    data.socket.resume();
    await lab.until('the end of data', () => data.ear.events.includes('end'));
    data.socket.end();
    expect(await client.line()).toBe('226 done');
    expect(isContent(Buffer.concat(data.ear.chunks))).toBe(true);
    expectTransfer('ok', 226);
    await expectSound();
  });

  it.each(['server', 'client'] as const)('before the end of data is none when the %s resets', async (who) => {
    await start({ RETR: saying('150 go\r\n226 done') });
    client.send('RETR file');
    const { socket, ear } = await farEnd();
    socket.write(content.subarray(0, 1_000));
    await lab.until('some data', () => data.ear.length === 1_000);
    (who === 'server' ? socket : data.socket).reset();
    expect([await client.line(), await client.line()]).toEqual(['150 go', broken]);
    const other = who === 'server' ? data.ear : ear;
    await lab.until('a reset', () => other.isClosed);
    expect(other.events).toEqual(['close reset']);
    expectTransfer(who === 'server' ? 'backend-reset' : 'client-reset', 426);
    await expectSound();
  });

  it('long behind the data is passed on when it comes', async () => {
    await start({ STOR: saying('150 go') });
    client.send('STOR copy');
    const { socket, ear } = await farEnd();
    data.socket.write(content);
    data.socket.end();
    await lab.until('the end of data', () => ear.events.includes('end'));
    expect(ear.length).toBe(content.length);
    socket.end();
    expect(await client.line()).toBe('150 go');
    await lab.pass(timing.finalReply - 5_000);
    expect(client.ear.data).not.toContain('226');
    server.last.say('226 scanned');
    expect(await client.line()).toBe('226 scanned');
    expectTransfer('ok', 226);
    await expectSound();
  });

  it('without a beginning is one all the same', async () => {
    await start({ RETR: saying() });
    client.send('RETR file');
    const { socket } = await farEnd();
    socket.write(content);
    socket.end();
    await lab.until('the end of data', () => data.ear.events.includes('end'));
    data.socket.end();
    server.last.say('226');
    expect(await client.line()).toBe('226');
    expectTransfer('ok', 226);
    await expectSound();
  });
});

describe('150 and then nothing', () => {
  it('breaks the data that stand still, and ends the session', async () => {
    await start({ RETR: saying('150 go') });
    client.send('RETR file');
    const { socket, ear } = await farEnd();
    socket.write(content.subarray(0, 1_000));
    await lab.pass(timing.stall - 1_000);
    expect(data.ear.events).toEqual([]);
    await lab.pass(2_000);
    expect([data.ear.events, ear.events]).toEqual([['close reset'], ['close reset']]);
    await lab.pass(timing.settle);
    expect([await client.line(), await client.line(), await client.line()]).toEqual(['150 go', broken, bye]);
    expect(lab.of('ftp.transfer')).toMatchObject([{ result: 'stalled', code: 426, bytes: 1_000 }]);
    await expectOver('reply-timeout');
  });

  it('behind whole data is no success', async () => {
    await start({ STOR: saying('150 go') });
    client.send('STOR copy');
    const { socket, ear } = await farEnd();
    data.socket.write(content);
    data.socket.end();
    await lab.until('the end of data', () => ear.events.includes('end'));
    socket.end();
    await lab.pass(timing.finalReply + 5_000);
    expect([await client.line(), await client.line(), await client.line()]).toEqual(['150 go', broken, bye]);
    expectTransfer('reply-timeout', 426);
    await expectOver('reply-timeout');
  });

  it('to a client that does not connect is a 425', async () => {
    await start({ RETR: saying('150 go') });
    await client.epsv();
    client.send('RETR file');
    expect(await client.line()).toBe('150 go');
    await lab.pass(timing.dataAccept + timing.settle);
    expect([await client.line(), await client.line()]).toEqual(['425 Cannot open data connection.', bye]);
    expectTransfer('no-client-data', 425);
    await expectOver('reply-timeout');
  });
});

describe('no reply at all', () => {
  it('to a transfer without data ends the session', async () => {
    await start({ STOR: saying() });
    client.send('STOR copy');
    data.socket.end();
    await lab.pass(timing.finalReply + 5_000);
    expect([await client.line(), await client.line()]).toEqual([broken, bye]);
    expectTransfer('reply-timeout', 426);
    await expectOver('reply-timeout');
  });
});

describe('421 in the middle of a transfer', () => {
  it('is its final reply, breaks the data, and ends the session', async () => {
    await start({ RETR: saying('150 go') });
    client.send('RETR file');
    const { socket, ear } = await farEnd();
    socket.write(content.subarray(0, 1_000));
    await lab.until('some data', () => data.ear.length === 1_000);
    server.last.say('421 shutting down');
    expect([await client.line(), await client.line()]).toEqual(['150 go', '421 shutting down']);
    await lab.until('resets', () => data.ear.isClosed && ear.isClosed);
    expect([data.ear.events, ear.events]).toEqual([['close reset'], ['close reset']]);
    expectTransfer('backend-error', 421);
    await expectOver('backend-closed');
  });

  it('behind a success that waits is told behind a failure', async () => {
    await start({ STOR: saying('150 go\r\n226 done\r\n421 shutting down') });
    client.send('STOR copy');
    expect([await client.line(), await client.line(), await client.line()]).toEqual([
      '150 go',
      broken,
      '421 shutting down',
    ]);
    await lab.until('a reset', () => data.ear.isClosed);
    expectTransfer('backend-lost', 426);
    await expectOver('backend-closed');
  });
});

function endless(code: number): string {
  return `${code}-x\r\n${'y\r\n'.repeat(1_000_000)}${code} z`;
}

describe('a reply of a million lines', () => {
  it('to a command ends the session', async () => {
    await start({ STAT: say(endless(211)), RETR: saying('150 go\r\n226 done') });
    client.send('RETR file');
    (await farEnd()).socket.end();
    expect([await client.line(), await client.line()]).toEqual(['150 go', '226 done']);
    expect(await client.ask('STAT')).toBe(bye);
    await expectOver('backend-protocol');
  });

  it('in place of a success is none', async () => {
    await start({ RETR: saying('150 go') });
    client.send('RETR file');
    const { socket } = await farEnd();
    socket.write(content);
    socket.end();
    await lab.until('the end of data', () => data.ear.events.includes('end'));
    server.last.say(endless(226));
    expect([await client.line(), await client.line(), await client.line()]).toEqual(['150 go', broken, bye]);
    expectTransfer('backend-lost', 426);
    await expectOver('backend-protocol');
  });
});

describe('replies byte by byte', () => {
  it('are the same replies', async () => {
    ({ lab, server } = await startLab({ backends: 1, link: { minDelay: 0, maxDelay: 3 } }));
    server.files.set('file', content);
    server.isBytewise = true;
    client = await lab.loggedIn();
    await download(client, 'EPSV');
    await upload(client, 'PASV', server);
    await download(client, 'PORT');
    expect(await client.ask('QUIT')).toBe('221 bye');
    client.control.end();
    await expectNothingLeft(lab);
    expect(lab.of('ftp.transfer').map(({ result }) => result)).toEqual(['ok', 'ok', 'ok']);
  });
});
