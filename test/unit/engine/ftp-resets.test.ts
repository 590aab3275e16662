/**
 * A connection that is lost, in every state of a session: what the client hears, what is logged, how the other
 * connections end, and that nothing is left.
 */
import { describe, expect, it } from 'vitest';
import { formatPort } from '../../../src/ftp/endpoints.ts';
import type { MemoryHost } from '../../../src/net/memory-host.ts';
import { type Net, NetError } from '../../../src/net/net.ts';
import type { TcpEnd } from '../../../src/net/tcp.ts';
import { TcpEar } from '../../contract/net-tcp-scene.ts';
import { changedNet } from '../../helpers/changed-net.ts';
import type { FtpClient, Heard } from '../../helpers/ftp-client.ts';
import { expectNothingLeft, type FtpLab, type FtpLabOptions, useFtpLab } from '../../helpers/ftp-lab.ts';
import { type FtpServer, type Handler, say, type ServerSession } from '../../helpers/ftp-server.ts';
import { content, download } from '../../helpers/ftp-transfers.ts';

const startLab = useFtpLab();
let lab: FtpLab;
let server: FtpServer;
let client: FtpClient;
/** Both ends of the data connection, once they are there. */
let near: Heard | undefined;
let far: Heard | undefined;

const broken = '426 Connection closed; transfer aborted.';
const noData = '425 Cannot open data connection.';
const bye = '421 Service not available, closing control connection.';
/** What the server says of a transfer whose data connection broke. */
const told = '451 broken';
const mute: Handler = () => undefined;

async function start(options: FtpLabOptions = {}): Promise<void> {
  ({ lab, server } = await startLab({ backends: 1, ...options }));
  server.files.set('file', content);
  [near, far] = [undefined, undefined];
}

/** Hears when its connection breaks, and has the server say so. */
class ServerEar extends TcpEar {
  readonly #session: ServerSession;

  constructor(session: ServerSession) {
    super();
    this.#session = session;
  }

  override onClose(end: TcpEnd): void {
    super.onClose(end);
    if (end !== 'clean') this.#session.say(told);
  }
}

/** A transfer that says this and sends so many bytes; the rest is up to the test. */
function going(said: string | undefined, size = 0): Handler {
  return async (session) => {
    if (said !== undefined) session.say(said);
    const socket = await session.data();
    far = { socket, ear: new ServerEar(session) };
    socket.handle(far.ear);
    socket.write(content.subarray(0, size));
  };
}

/** The server says nothing when its data connection breaks. */
function keepSilent(): void {
  far &&= { socket: far.socket, ear: new TcpEar() };
  far?.socket.handle(far.ear);
}

/** A client that has logged in, and has a data connection. */
async function connect(handlers: Record<string, Handler>, options: FtpLabOptions = {}): Promise<void> {
  await start(options);
  Object.assign(server.handlers, handlers);
  client = await lab.loggedIn();
  near = await client.connect(await client.epsv());
}

/** It has asked for a transfer, and the server has its data connection. */
async function transfer(verb: 'RETR' | 'STOR', said: string | undefined, size = 0): Promise<void> {
  await connect({ [verb]: going(said, size) });
  client.send(`${verb} file`);
  await lab.until("the server's data connection", () => far);
  if (said !== undefined) expect(await client.line()).toBe('150 go');
  if (verb === 'STOR') near?.socket.write(content.subarray(0, 1_000));
  await lab.pass(100);
}

interface State {
  readonly reach: () => Promise<void>;
  /** What the client hears when the server's control connection is over. */
  readonly hears: readonly string[];
  /** How that ends the session; left out where it tells how the connection ended. */
  readonly end?: string;
  /** How its transfer is logged when the client's control connection is over, and when the server's is. */
  readonly transfer?: readonly [string, string];
}

const idle = { hears: [bye] };
const unserved = { hears: [bye], end: 'no-backend' };
const failed = {
  hears: [noData, bye],
  transfer: ['client-lost -', 'backend-lost 425'],
} as const;
const cut = {
  hears: [broken, bye],
  transfer: ['client-lost -', 'backend-lost 426'],
} as const;

async function greet(greeting: string | undefined): Promise<void> {
  await start();
  server.greeting = greeting;
  client = await lab.client();
  await lab.pass(100);
}

async function ask(verb: string, said: string): Promise<void> {
  server.handlers[verb] = mute;
  client.send(said);
  await lab.pass(100);
}

const states: Readonly<Record<string, State>> = {
  'before the greeting': { ...unserved, reach: () => greet(undefined) },
  'between 120 and 220': { ...unserved, reach: () => greet('120 soon') },
  'before the login': {
    ...idle,
    reach: async () => {
      await greet('220 hello');
      await client.line();
    },
  },
  'within the login': {
    ...idle,
    reach: async () => {
      await greet('220 hello');
      await client.line();
      await client.ask('USER joe');
      await ask('PASS', 'PASS secret');
    },
  },
  'without anything to do': {
    ...idle,
    reach: async () => {
      await start();
      client = await lab.loggedIn();
    },
  },
  'within a command, with others behind it': {
    ...idle,
    reach: async () => {
      await start();
      client = await lab.loggedIn();
      await ask('NOOP', 'NOOP\r\nNOOP\r\nSTAT');
    },
  },
  'while the client is waited for': {
    ...idle,
    reach: async () => {
      await start();
      client = await lab.loggedIn();
      await client.epsv();
    },
  },
  'with a data connection and no command for it': { ...idle, reach: () => connect({}) },
  'while a data connection is asked for': {
    ...failed,
    reach: async () => {
      await connect({});
      await ask('EPSV', 'RETR file');
    },
  },
  'while one is being opened': {
    ...failed,
    reach: async () => {
      const handlers = { EPSV: say('500 what?'), PASV: say('227 at (10,9,9,9,19,136)') };
      await connect(handlers, { data: { backendPasvAddress: 'trust' } });
      lab.net.host(['10.9.9.9']).state = 'silent';
      client.send('RETR file');
      await lab.pass(100);
    },
  },
  'while an active client is connected to': {
    ...failed,
    reach: async () => {
      await start({ wrap: withoutAnswer });
      client = await lab.loggedIn();
      await client.ask(`PORT ${formatPort('10.2.0.1', 5_000)}`);
      client.send('RETR file');
      await lab.pass(100);
    },
  },
  'while an active server is told where to connect': {
    ...failed,
    reach: async () => {
      await connect({}, { data: { backendData: 'active' } });
      await ask('PORT', 'RETR file');
    },
  },
  'while an active server is waited for': {
    ...failed,
    reach: async () => {
      await connect({}, { data: { backendData: 'active' } });
      await ask('RETR', 'RETR file');
    },
  },
  'before the first reply to a transfer': { ...cut, reach: () => transfer('RETR', undefined) },
  'in the middle of a download': { ...cut, reach: () => transfer('RETR', '150 go', 1_000) },
  'in the middle of an upload': { ...cut, reach: () => transfer('STOR', '150 go') },
  'before the data, behind a success': { ...cut, reach: () => transfer('STOR', '150 go\r\n226 done') },
  'behind the data': {
    ...cut,
    reach: async () => {
      await transfer('STOR', '150 go');
      near?.socket.end();
      await lab.until('the end of data', () => far?.ear.events.includes('end'));
      far?.socket.end();
      await lab.pass(100);
    },
  },
  'behind an error, with data that go on': {
    hears: [bye],
    transfer: ['backend-error 552', 'backend-error 552'],
    reach: async () => {
      await transfer('STOR', '150 go\r\n552 full');
      expect(await client.line()).toBe('552 full');
      keepSilent();
    },
  },
  'behind ABOR': {
    hears: [broken, '226 Abort successful.', bye],
    transfer: ['client-abort -', 'client-abort 426'],
    reach: async () => {
      await transfer('RETR', '150 go', 1_000);
      keepSilent();
      await ask('ABOR', 'ABOR');
    },
  },
  'behind QUIT': {
    hears: ['221 Goodbye.'],
    end: 'quit',
    reach: async () => {
      await start();
      client = await lab.loggedIn();
      await ask('QUIT', 'QUIT');
    },
  },
};

/** A net where nobody answers who is connected to from port 20. */
function withoutAnswer(host: MemoryHost): Net {
  const connectTcp: Net['connectTcp'] = (to, options) =>
    options.from?.port === 20 ? never(options.signal) : host.connectTcp(to, options);
  return changedNet(host, { connectTcp });
}

function never(signal: AbortSignal | undefined): Promise<never> {
  return new Promise((_, reject) => {
    signal?.addEventListener('abort', () => reject(new NetError('TLB_ERR_TIMEOUT', 'given up')));
  });
}

/** The transfers of the session, as `result code`. */
function transfers(): string[] {
  return lab.of('ftp.transfer').map(({ result, code }) => `${result} ${code ?? '-'}`);
}

/** Nobody may take a part for the whole. */
function expectNoCleanEnd(end: Heard | undefined): void {
  if (end === undefined || end.ear.events.includes('end')) return;
  expect(end.ear.events.filter((event) => event !== 'drain')).toEqual(['close reset']);
}

describe.each(Object.entries(states))('%s', (_, state) => {
  it.each(['reset', 'end'] as const)('the %s of the server ends the session', async (how) => {
    await state.reach();
    server.last.control[how]();
    await lab.until('the end', () => client.ear.events.includes('end'));
    expect(client.unread).toBe(state.hears.map((line) => `${line}\r\n`).join(''));
    client.control.end();
    await expectNothingLeft(lab);
    for (const end of [near, far]) expectNoCleanEnd(end);
    expect(lab.of('ftp.session.end')).toMatchObject([
      { end: state.end ?? `backend-${how === 'end' ? 'closed' : 'reset'}` },
    ]);
    expect(transfers()).toEqual(state.transfer?.slice(1) ?? []);
  });

  it('the reset of the client ends the session', async () => {
    await state.reach();
    client.control.reset();
    await expectNothingLeft(lab);
    expect(server.last.events.at(-1)).toMatch(/^(?:clean|reset)$/);
    for (const end of [near, far]) expectNoCleanEnd(end);
    expect(lab.of('ftp.session.end')).toMatchObject([{ end: 'client-reset' }]);
    expect(transfers()).toEqual(state.transfer?.slice(0, 1) ?? []);
  });
});

/** The state, whose end of the data connection is reset, what the client hears then, and how that is logged. */
const dataResets: readonly [
  keyof typeof states,
  'client' | 'server',
  readonly string[],
  readonly string[],
][] = [
  ['with a data connection and no command for it', 'client', [], []],
  ['while one is being opened', 'client', [noData], ['client-reset 425']],
  ['before the first reply to a transfer', 'client', [told], ['client-reset 451']],
  ['before the first reply to a transfer', 'server', [told], ['refused 451']],
  ['in the middle of a download', 'client', [told], ['client-reset 451']],
  ['in the middle of a download', 'server', [told], ['backend-error 451']],
  ['in the middle of an upload', 'client', [told], ['client-reset 451']],
  ['in the middle of an upload', 'server', [told], ['backend-error 451']],
  ['behind an error, with data that go on', 'server', [], ['backend-error 552']],
];

describe.each(dataResets)('%s', (name, who, hears, logged) => {
  it(`a reset of the data connection by the ${who} leaves the session as it is`, async () => {
    await states[name]?.reach();
    (who === 'client' ? near : far)?.socket.reset();
    for (const line of hears) expect(await client.line()).toBe(line);
    await lab.pass(500);
    expectNoCleanEnd(who === 'client' ? far : near);
    expect(transfers()).toEqual(logged);
    server.restore();
    await download(client, 'EPSV');
    expect(await client.ask('QUIT')).toBe('221 bye');
    client.control.end();
    await expectNothingLeft(lab);
    expect(client.unread).toBe('');
  });
});
