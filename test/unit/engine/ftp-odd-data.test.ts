/** Servers that refuse transfers, or cannot be reached for data, in every place where they may. */
import { describe, expect, it } from 'vitest';
import { formatPort } from '../../../src/ftp/endpoints.ts';
import type { TcpSocket } from '../../../src/net/tcp.ts';
import type { FtpClient, Heard } from '../../helpers/ftp-client.ts';
import { expectNothingLeft, type FtpLab, type FtpLabOptions, useFtpLab } from '../../helpers/ftp-lab.ts';
import { type FtpServer, type Handler, say } from '../../helpers/ftp-server.ts';
import { content, download } from '../../helpers/ftp-transfers.ts';

const startLab = useFtpLab();
let lab: FtpLab;
let server: FtpServer;
let client: FtpClient;

async function start(options: FtpLabOptions = {}): Promise<void> {
  ({ lab, server } = await startLab({ backends: 1, ...options }));
  server.files.set('file', content);
  client = await lab.loggedIn();
}

/** The session is as good as before, and ends with nothing left. */
async function expectSound(): Promise<void> {
  server.restore();
  await download(client, 'EPSV');
  expect(await client.ask('QUIT')).toBe('221 bye');
  client.control.end();
  await expectNothingLeft(lab);
  expect(client.unread).toBe('');
  expect(lab.of('ftp.transfer').at(-1)).toMatchObject({ result: 'ok', code: 226 });
  expect(lab.of('ftp.session.end')).toMatchObject([{ end: 'quit' }]);
}

/** What a server does with a transfer that it ends by `error`; `open` is its data connection. */
type Place = (session: FtpServer['last'], error: string) => Promise<void>;

const quiet = {
  onData: () => undefined,
  onEnd: () => undefined,
  onDrain: () => undefined,
  onClose: () => undefined,
};

/** When its reply was read. */
function resetLater(socket: TcpSocket): void {
  socket.handle(quiet);
  lab.net.setTimer(50, () => socket.reset());
}

/** With the result that is logged. */
const places: readonly [string, 'refused' | 'backend-error', Place][] = [
  [
    'in place of 150',
    'refused',
    async (session, error) => {
      session.say(error);
      resetLater(await session.data());
    },
  ],
  [
    'in place of 150, with its data connection left open',
    'refused',
    async (session, error) => {
      session.say(error);
      (await session.data()).handle(quiet);
    },
  ],
  [
    'in one segment with 150',
    'backend-error',
    async (session, error) => {
      session.say(`150 go\r\n${error}`);
      (await session.data()).end();
    },
  ],
  [
    'behind 150, before any data',
    'backend-error',
    async (session, error) => {
      session.say('150 go');
      const socket = await session.data();
      session.say(error);
      socket.end();
    },
  ],
  [
    'behind some data, which it resets',
    'backend-error',
    async (session, error) => {
      session.say('150 go');
      const socket = await session.data();
      socket.write(content);
      session.say(error);
      resetLater(socket);
    },
  ],
  [
    'behind some data, which it leaves standing',
    'backend-error',
    async (session, error) => {
      session.say('150 go');
      const socket = await session.data();
      socket.handle(quiet);
      socket.write(content.subarray(0, 1_000));
      session.say(error);
    },
  ],
  [
    'behind all data',
    'backend-error',
    async (session, error) => {
      session.say('150 go');
      const socket = await session.data();
      socket.handle({ ...quiet, onEnd: () => session.say(error) });
      socket.end();
    },
  ],
];

const errors = ['425 no data connection', '450 busy', '550 no', '552 full'];

describe.each(places)('an error %s', (_, result, place) => {
  describe.each(['RETR', 'STOR'] as const)('to %s', (verb) => {
    it.each(errors)('is passed on, once: %s', async (error) => {
      await start();
      server.handlers[verb] = (session) => place(session, error);
      const data = await client.connect(await client.epsv());
      client.send(`${verb} file`);
      if (verb === 'STOR') data.socket.write(content.subarray(0, 1_000));
      const line = await client.line();
      if (result === 'backend-error') {
        expect(line).toBe('150 go');
        data.socket.end();
      }
      expect(result === 'refused' ? line : await client.line()).toBe(error);
      expect(client.unread).toBe('');
      await endOf(data);
      const code = Number(error.slice(0, 3));
      await lab.until('the end of the transfer', () => lab.of('ftp.transfer').length === 1);
      expect(lab.of('ftp.transfer')).toMatchObject([{ result, code, command: verb, path: 'file' }]);
      await expectSound();
    });
  });
});

describe('an error that comes behind the reset of its data connection', () => {
  it.each([
    ['425 no data connection', 'backend-reset'],
    ['450 busy', 'refused'],
    ['550 no', 'refused'],
    ['552 full', 'refused'],
  ])('is heard before the client’s own is reset: %s, which is logged as %s', async (error, result) => {
    await start();
    server.handlers['STOR'] = async (session) => {
      (await session.data()).reset();
      lab.net.setTimer(50, () => session.say(error));
    };
    const data = await client.connect(await client.epsv());
    expect(await client.ask('STOR file')).toBe(error);
    expect(data.ear.events).toEqual([]);
    await lab.until('a reset', () => data.ear.isClosed);
    expect(data.ear.events).toEqual(['close reset']);
    expect(lab.of('ftp.transfer')).toMatchObject([{ result, code: Number(error.slice(0, 3)) }]);
    await expectSound();
  });
});

/** Nobody holds it against a client that it goes on to close its data connection. */
async function endOf(data: Heard): Promise<void> {
  await lab.pass(100);
  data.socket.end();
}

describe('an error to a client that has not connected', () => {
  it.each(errors)('is passed on: %s', async (error) => {
    await start();
    server.handlers['RETR'] = say(error);
    await client.epsv();
    expect(await client.ask('RETR file')).toBe(error);
    expect(lab.of('ftp.transfer')).toMatchObject([{ result: 'refused', code: Number(error.slice(0, 3)) }]);
    await expectSound();
  });
});

const noData = '425 Cannot open data connection.';
/** A 227 with the port that the server listens on, and whatever address. */
const listenAt =
  (address: string): Handler =>
  async (session) =>
    session.say(`227 ok (${formatPort(address, await session.listen())})`);

describe('a server with no EPSV', () => {
  it.each<[string, Handler, string | undefined]>([
    ['500', say('500 what?'), undefined],
    ['502', say('502 no'), undefined],
    ['522', say('522 use (1)'), undefined],
    ['a dead port', say('229 ok (|||9|)'), 'refused'],
    ['a port of somebody else', say('229 ok (|2|10.9.0.9|5000|)'), undefined],
    ['another success', say('200 ok'), undefined],
    ...errors.map((error): [string, Handler, undefined] => [error, say(error), undefined]),
  ])('but %s is asked with PASV', async (_, epsv, refused) => {
    await start();
    server.handlers['EPSV'] = epsv;
    await download(client, 'EPSV');
    expect(server.last.heard.slice(-3)).toEqual(['EPSV', 'PASV', 'RETR file']);
    expect(lab.of('ftp.data-refused')).toMatchObject(
      refused === undefined ? [] : [{ leg: 'backend', reason: refused }],
    );
    expect(lab.of('ftp.transfer')).toMatchObject([{ result: 'ok', code: 226, backendMode: 'passive' }]);
    await expectSound();
  });

  it('but a foreign address in its 227 is connected to at its own', async () => {
    await start();
    Object.assign(server.handlers, { EPSV: say('500 what?'), PASV: listenAt('10.9.0.9') });
    await download(client, 'EPSV');
    await expectSound();
  });
});

const unusable: readonly [string, string][] = [
  ['500', '500 what?'],
  ['numbers over 255', '227 ok (10,1,0,256,19,136)'],
  ['a port over 65535', '227 ok (10,1,0,1,256,1)'],
  ['port 1', '227 ok (10,1,0,1,0,1)'],
  ['port 0', '227 ok (10,1,0,1,0,0)'],
  ['five numbers', '227 ok (10,1,0,1,19)'],
  ['no numbers', '227 Entering Passive Mode'],
  ['a dead port', '227 ok (10,1,0,1,19,136)'],
  ['an error with an endpoint in it', '425 no (10,1,0,1,19,136)'],
  ['an endpoint in a line that is not its last', '227-at (10,1,0,1,19,136)\r\n227 ok'],
];

describe.each(unusable)('a server with no EPSV, whose PASV is answered with %s', (_, pasv) => {
  it('is told of no transfer, and the client hears 425', async () => {
    await start();
    Object.assign(server.handlers, { EPSV: say('500 what?'), PASV: say(pasv) });
    await client.connect(await client.epsv());
    expect(await client.ask('RETR file')).toBe(noData);
    expect(server.last.heard.slice(-2)).toEqual(['EPSV', 'PASV']);
    expect(lab.of('ftp.transfer')).toMatchObject([{ result: 'no-backend-data', code: 425, bytes: 0 }]);
    await expectSound();
  });

  it('is asked with PORT where the client is active', async () => {
    await start();
    Object.assign(server.handlers, { EPSV: say('500 what?'), PASV: say(pasv) });
    await download(client, 'PORT');
    expect(server.last.heard.at(-2)).toMatch(/^PORT 10,0,0,1,/);
    expect(lab.of('ftp.transfer')).toMatchObject([{ result: 'ok', code: 226, backendMode: 'active' }]);
    await expectSound();
  });
});

describe('a server that is to be active', () => {
  it.each(errors)('and answers PORT with %s is told of no transfer', async (error) => {
    await start({ data: { backendData: 'active' } });
    server.handlers['PORT'] = say(error);
    await client.connect(await client.epsv());
    expect(await client.ask('STOR copy')).toBe(noData);
    expect(server.last.heard.at(-1)).toMatch(/^PORT /);
    expect(lab.of('ftp.transfer')).toMatchObject([{ result: 'no-backend-data', code: 425 }]);
    await expectSound();
  });

  it('and never connects is a 425, whatever it says', async () => {
    await start({ data: { backendData: 'active' } });
    server.handlers['STOR'] = say('150 go\r\n226 done');
    const data = await client.connect(await client.epsv());
    client.send('STOR copy');
    data.socket.write(content);
    data.socket.end();
    expect([await client.line(), await client.line()]).toEqual(['150 go', noData]);
    expect(lab.of('ftp.transfer')).toMatchObject([{ result: 'no-backend-data', code: 425 }]);
    await expectSound();
  });
});
