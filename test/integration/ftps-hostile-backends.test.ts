/** Servers, or somebody on the way to them, that break the rules of TLS: clients never hear what was not said within it. */
import { afterAll, describe, expect, test } from 'vitest';
import { makeKeyPair } from '../helpers/certificates.ts';
import { cleanUp } from '../helpers/clean-up.ts';
import { connectTo, loginTo, startFtpBalancer } from './ftp.ts';
import { certificate, own } from './ftps-raw.ts';
import { type Peer, type ScriptedServer, startScripted } from './ftps-server.ts';

afterAll(cleanUp);

const flags = [
  `--backend-tls-ca=${certificate}`,
  '--backend-tls-name=localhost',
  '--ftp-policy=first',
  '--ftp-greeting-timeout=3s',
  '--tls-handshake-timeout=3s',
];

async function good(peer: Peer): Promise<void> {
  await peer.login();
  await peer.answer({ QUIT: '221 bye' });
}

type Script = (peer: Peer) => Promise<unknown>;

/** Greets, waits for AUTH, and says this. */
function toAuth(text: string, then: Script = () => Promise.resolve()): Script {
  return async (peer) => {
    peer.say('220 injected');
    await peer.hears(/^AUTH TLS\r\n/m);
    peer.stream.write(text);
    await then(peer);
  };
}

const go = '234 injected\r\n';
/** What the server itself says, to which somebody on the way has added something. */
const proceed: Script = async (peer) => {
  await peer.secure();
  await peer.answer({ PASS: '230 injected', QUIT: '221 injected' });
};
/** Anything but a command: the beginning of a ClientHello. */
const hello = /^[^A-Z]/;
const stranger = makeKeyPair();
const misnamed = makeKeyPair({ name: 'other', names: 'DNS:other.example', issuer: own });
const expired = makeKeyPair({ issuer: own, isExpired: true });

const bad: readonly (readonly [string, Script])[] = [
  ['a reply behind 234 in the same segment', toAuth(`${go}230 injected\r\n`, proceed)],
  ['a part of a reply behind 234', toAuth(`${go}23`, proceed)],
  ['an end of line behind 234', toAuth(`${go}\r\n`, proceed)],
  ['several replies behind 234', toAuth(`${go}200 injected\r\n200 injected\r\n`, proceed)],
  [
    'a reply in a later segment',
    toAuth(go, async (peer) => {
      await peer.hears(hello);
      peer.say('230 injected\r\n200 injected\r\n220 injected');
    }),
  ],
  ['nothing behind 234', toAuth(go)],
  ['an end behind 234', toAuth(go, async (peer) => peer.raw.end())],
  ['a reset behind 234', toAuth(go, async (peer) => peer.raw.resetAndDestroy())],
  ['noise behind 234', toAuth(go, async (peer) => peer.raw.write(Buffer.alloc(2_000_000, 0x99)))],
  ['an alert behind 234', toAuth(go, async (peer) => peer.raw.write(Uint8Array.of(21, 3, 3, 0, 2, 2, 40)))],
  ['a 234 without its end', toAuth('234-injected\r\n 230 injected\r\n')],
  ['334', toAuth('334 injected\r\n')],
  ['421', toAuth('421 injected\r\n')],
  ['200', toAuth('200 injected\r\n')],
  [
    '234 before it is asked',
    async (peer) => {
      peer.say('220 injected\r\n234 injected');
      await peer.hears(/^AUTH TLS\r\n/m);
      peer.say('500 injected');
    },
  ],
  ['a certificate of nobody', toAuth(go, (peer) => peer.secure(stranger))],
  ['a certificate for another name', toAuth(go, (peer) => peer.secure(misnamed))],
  ['a certificate that has expired', toAuth(go, (peer) => peer.secure(expired))],
];

/** One server for each of them, in this order. */
function startBad(): Promise<ScriptedServer[]> {
  return Promise.all(bad.map(([, script]) => startScripted(script)));
}

/** Expects that each was tried once, and was told nothing that is a secret. */
function expectTried(servers: readonly ScriptedServer[]): void {
  const tried = servers.map(({ peers }, at) => [bad[at]?.[0], peers.length]);
  expect(tried).toEqual(bad.map(([name]) => [name, 1]));
  const heard = servers.flatMap(({ peers }) => peers.map((peer) => peer.heard)).join('');
  expect(heard).not.toMatch(/USER|PASS/u);
}

describe('the answer to AUTH of a server', () => {
  test('that breaks the rules is nothing that clients hear of', async () => {
    const servers = await startBad();
    const all = [...servers, await startScripted(good)];
    const balancer = await startFtpBalancer(all, ...flags, '--backend-tls=required');
    const client = await loginTo(balancer.listener);
    expect(await client.ask('QUIT')).toBe('221 bye');
    expect(client.ear.data).toMatch(/^220 good\r\n/u);
    expect(client.ear.data).not.toContain('injected');
    expectTried(servers);
    const line = await balancer.said({ event: 'ftp.session.end', end: 'quit' });
    expect(line).toMatchObject({ tries: all.length, backendTls: 'TLSv1.3' });
    for (const reason of ['protocol', 'timeout', 'certificate']) {
      await balancer.said({ event: 'ftp.tls-failed', leg: 'backend', channel: 'control', reason });
    }
  });

  test('that breaks the rules is no reason to stay in clear where that is allowed', async () => {
    const isRefusal = /^(?:200|334|421)/u;
    const broken = bad.filter(([name]) => !isRefusal.test(name));
    const servers = await Promise.all(broken.map(([, script]) => startScripted(script)));
    const balancer = await startFtpBalancer(servers, ...flags, '--backend-tls=auto');
    const client = await connectTo(balancer.listener);
    expect(await client.line()).toMatch(/^421 /u);
    expect(client.ear.data).not.toContain('injected');
    expect(servers.map(({ peers }) => peers.length)).toEqual(servers.map(() => 1));
  });

  test('may have several lines', async () => {
    const server = await startScripted(async (peer) => {
      peer.say('220-hi\r\n 234 no\r\n220 good');
      await peer.hears(/^AUTH TLS\r\n/m);
      peer.say('234-one\r\n500 two\r\n234 three');
      await peer.secure();
      await peer.answer({ PASS: '230 welcome', QUIT: '221 bye' });
    });
    const balancer = await startFtpBalancer([server], ...flags, '--backend-tls=required');
    const client = await connectTo(balancer.listener);
    for (const line of ['220-hi', ' 234 no', '220 good']) expect(await client.line()).toBe(line);
    expect(await client.ask('USER joe')).toBe('331 password?');
    expect(await client.ask('PASS x')).toBe('230 welcome');
    expect(await client.ask('QUIT')).toBe('221 bye');
    await balancer.said({ event: 'ftp.session.end', end: 'quit', backendTls: 'TLSv1.3' });
  });
});

const injections: readonly (readonly [string, Uint8Array])[] = [
  ['a reply in clear', Buffer.from('200 injected\r\n')],
  ['noise', Buffer.alloc(1_000_000, 0x99)],
  ['an alert in clear', Uint8Array.of(21, 3, 3, 0, 2, 2, 80)],
  ['a record too long', Buffer.concat([Uint8Array.of(23, 3, 3, 0xff, 0xff), Buffer.alloc(65_535)])],
];

test.each(injections)('%s within a session ends it with 421, and nobody hears it', async (_, said) => {
  const server = await startScripted(async (peer) => {
    await peer.login();
    await peer.hears(/^NOOP\r\n/m);
    // Beneath TLS.
    peer.raw.write(said);
  });
  const balancer = await startFtpBalancer([server], ...flags, '--backend-tls=required');
  const client = await loginTo(balancer.listener);
  expect(await client.ask('NOOP')).toMatch(/^421 /u);
  await client.until('the end', () => client.ear.events.includes('end'));
  expect(client.ear.data).not.toContain('injected');
  await balancer.said({ event: 'ftp.tls-failed', leg: 'backend', reason: 'protocol', level: 'warn' });
  await balancer.said({ event: 'ftp.session.end', end: 'backend-reset' });
});

/** A server that logs in, and then does this with its data connections. */
async function startWithData(script: Script): Promise<{ control: ScriptedServer; data: ScriptedServer }> {
  const data = await startScripted(script);
  const ending = '150 go\r\n226 injected';
  const answers = { EPSV: `229 ok (|||${data.port}|)`, RETR: ending, STOR: ending };
  const control = await startScripted(async (peer) => {
    await peer.login();
    await peer.answer(answers);
  }, data.address);
  return { control, data };
}

const secret = 'what only the server may know';

const dataAttacks: readonly (readonly [string, string, Script])[] = [
  ['plaintext', 'protocol', async (peer) => peer.raw.end('injected')],
  ['noise', 'protocol', async (peer) => peer.raw.end(Buffer.alloc(100_000, 0x99))],
  ['the certificate of somebody else', 'certificate', (peer) => peer.secure(stranger)],
  ['a certificate for another name', 'certificate', (peer) => peer.secure(misnamed)],
];

describe('a data connection towards a server that is answered with', () => {
  test.each(dataAttacks)('%s carries nothing, and is no good transfer', async (_, reason, script) => {
    const { control, data } = await startWithData(script);
    const balancer = await startFtpBalancer(
      [control],
      ...flags,
      '--backend-tls=required',
      '--backend-pasv-address=trust',
    );
    const client = await loginTo(balancer.listener);
    for (const command of ['RETR file', 'STOR file']) {
      const { socket, ear } = await client.connect(await client.epsv());
      if (command.startsWith('STOR')) socket.write(Buffer.from(secret));
      expect(await client.ask(command)).toBe('150 go');
      expect(await client.line()).toMatch(/^426 /u);
      expect(ear.data).toBe('');
      socket.reset();
    }
    expect(data.peers.map(({ heard }) => heard).join('')).not.toContain(secret);
    await balancer.said({ event: 'ftp.tls-failed', leg: 'backend', channel: 'data', reason });
  });
});
