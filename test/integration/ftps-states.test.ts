/** AUTH, PBSZ, PROT, CCC, ADAT, REIN and FEAT in every state that a session can be in. */
import { afterAll, expect, test } from 'vitest';
import { cleanUp } from '../helpers/clean-up.ts';
import type { FtpClient } from '../helpers/ftp-client.ts';
import { until } from '../helpers/processes.ts';
import { connectTo, loginTo, standStill, startFtpBalancer, startFtpServer, verbsOf } from './ftp.ts';
import { askForged, certificate, forgeOn, ledTo } from './ftps-raw.ts';

afterAll(cleanUp);

const flags = ['--ftp-tls=allowed', `--tls-cert=${certificate}`];

/** Commands, and the codes that answer them. */
type Dialogue = readonly (readonly [command: string, code: string])[];

const wrong: Dialogue = [
  ['AUTH', '504'],
  ['AUTH GSSAPI', '504'],
  ['AUTH TLS-P', '504'],
  [`AUTH ${'T'.repeat(4_000)}`, '504'],
];
const tooEarly: Dialogue = [
  ['PBSZ 0', '503'],
  ['PROT P', '503'],
  ['PROT', '503'],
  ['CCC', '503'],
  ['ADAT x', '502'],
];
const within: Dialogue = [
  ['AUTH TLS', '503'],
  ['AUTH GSSAPI', '503'],
  ['PROT P', '503'],
  ['PBSZ', '501'],
  ['PBSZ x', '501'],
  ['PBSZ -1', '501'],
  ['PBSZ 99999999999', '501'],
  ['PBSZ 1024', '200'],
  ['PROT', '504'],
  ['PROT X', '504'],
  ['PROT S', '536'],
  ['PROT E', '536'],
  ['prot p', '200'],
  ['PROT C', '200'],
  ['CCC', '533'],
  ['ADAT x', '502'],
  ['REIN', '502'],
];

async function ask(client: FtpClient, dialogue: Dialogue): Promise<void> {
  const codes = [];
  for (const [command] of dialogue) codes.push([command, (await client.ask(command)).slice(0, 3)]);
  expect(codes).toEqual(dialogue);
}

const features = ['AUTH TLS', 'PBSZ', 'PROT'];

/** What is offered, as far as it has to do with TLS. */
async function offered(client: FtpClient): Promise<string[]> {
  const lines = [await client.ask('FEAT')];
  while (!lines.at(-1)?.startsWith('211 ')) lines.push(await client.line());
  return features.filter((feature) => lines.includes(` ${feature}`));
}

const withFeatures = {
  FEAT: (session: { say(text: string): void }) => session.say('211-F\r\n SIZE\r\n AUTH X\r\n211 E'),
};

test('in clear, before and behind the login', async () => {
  const server = await startFtpServer({ handlers: withFeatures });
  const balancer = await startFtpBalancer([server], ...flags);
  const client = await connectTo(balancer.listener);
  await client.line();
  await ask(client, [...wrong, ...tooEarly]);
  expect(await offered(client)).toEqual(features);
  await ask(client, [['USER joe', '331'], ...wrong, ...tooEarly, ['PASS secret', '230']]);
  await ask(client, [['AUTH TLS', '503'], ['AUTH GSSAPI', '503'], ...tooEarly]);
  expect(await offered(client)).toEqual(features);
  expect(verbsOf(server)).toEqual(['FEAT', 'FEAT']);
});

test('without TLS all are unknown', async () => {
  const server = await startFtpServer({ handlers: withFeatures });
  const client = await connectTo((await startFtpBalancer([server])).listener);
  await client.line();
  await ask(
    client,
    ['AUTH TLS', 'PBSZ 0', 'PROT P', 'CCC', 'ADAT x'].map((command) => [command, '502'] as const),
  );
  expect(await offered(client)).toEqual([]);
});

test('before there is a server', async () => {
  const server = await startFtpServer();
  const balancer = await startFtpBalancer([server], ...flags, '--ftp-policy=user-hash');
  const client = await connectTo(balancer.listener);
  await client.line();
  await ask(client, [...wrong, ...tooEarly]);
  expect(await offered(client)).toEqual(features);
  const forger = await forgeOn(balancer.listener, 'TLSv1.3');
  for (const [command, code] of within) await askForged(forger, command, code);
  expect(server.server.sessions.length).toBe(0);
  await askForged(forger, 'USER joe', '331');
  await askForged(forger, 'AUTH TLS', '503');
  expect(server.server.sessions.length).toBe(1);
});

test.each(['TLSv1.2', 'TLSv1.3'] as const)('within %s, before and behind the login', async (version) => {
  const server = await startFtpServer();
  const balancer = await startFtpBalancer([server], ...flags);
  const forger = await forgeOn(balancer.listener, version);
  for (const [command, code] of within) await askForged(forger, command, code);
  await askForged(forger, 'USER joe', '331');
  await askForged(forger, 'PASS secret', '230');
  for (const [command, code] of within.filter(([name]) => name !== 'PROT P'))
    await askForged(forger, command, code);
  // All at once.
  const { length } = forger.heard;
  forger.raw.write(Buffer.concat(within.map(([command]) => forger.line(command))));
  const codes = (): string[] =>
    [...forger.heard.slice(length).matchAll(/^(\d{3}) .*\r\n/gmu)].map(([, code]) => code ?? '');
  await until('all answers', () => codes().length === within.length || undefined);
  expect(codes()).toEqual(within.map(([command, code]) => (command === 'PROT P' ? '200' : code)));
  expect(verbsOf(server)).toEqual([]);
});

test('during a transfer they wait for its end, and do not change it', async () => {
  const server = await startFtpServer({ handlers: { RETR: standStill } });
  const balancer = await startFtpBalancer([server], ...flags);
  const client = await loginTo(balancer.listener);
  const data = await client.connect(await client.epsv());
  expect(await client.ask('RETR file')).toBe('150 here it comes');
  client.send('AUTH TLS\r\nPROT P\r\nCCC');
  await client.until('the file', () => data.ear.length === 200_000);
  expect(client.unread).toBe('');
  data.socket.reset();
  const codes = [];
  for (let at = 0; at < 4; at += 1) codes.push((await client.line()).slice(0, 3));
  expect(codes).toEqual(['426', '503', '503', '503']);
});

test('the level may be changed from one transfer to the next', async () => {
  const server = await startFtpServer();
  const balancer = await startFtpBalancer([server], ...flags);
  const led = await ledTo(balancer.listener);
  for (const level of ['P', 'C', 'P', 'P', 'C', 'C']) {
    expect(await led.ask(`PROT ${level}`)).toBe('200');
    const raw = await led.passive();
    led.control.write('RETR file\r\n');
    const data = level === 'P' ? await led.tlsOn(raw) : raw;
    let length = 0;
    data.on('data', (chunk: Buffer) => (length += chunk.length));
    expect([await led.reply(), await led.reply()]).toEqual(['150', '226']);
    await until('the file', () => length === 200_000 || undefined);
    raw.destroy();
  }
});
