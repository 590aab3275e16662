/** Every real FTP client logs in as the users of real FTP servers that stand side by side: each must get its own. */
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { createNodeNet } from '../../src/net/node-net.ts';
import { startBalancer, type Balancer } from '../helpers/balancer.ts';
import { cleanUp } from '../helpers/clean-up.ts';
import { publish, temporaryFolder } from '../helpers/folders.ts';
import { FtpClient } from '../helpers/ftp-client.ts';
import { ftpClientNames, ftpClientSpecs, lacksClient, type FtpTarget } from '../helpers/ftp-client-specs.ts';
import { download, localFile, takeSteps } from '../helpers/ftp-clients.ts';
import { ftpServerNames, ftpServerSpecs, type FtpServerName } from '../helpers/ftp-daemon-specs.ts';
import { startFtpServer, type FtpServer } from '../helpers/ftp-daemons.ts';
import { lacks } from '../helpers/peers.ts';
import { until } from '../helpers/processes.ts';

const net = createNodeNet();
const kinds = ftpServerNames.filter((name) => !lacks(name));
let servers: FtpServer[];
let balancer: Balancer;
let map: string;

afterAll(cleanUp);

/** vsftpd serves its anonymous user alone. */
function userOf(kind: FtpServerName): string {
  return kind === 'vsftpd' ? ftpServerSpecs.vsftpd.user : `user-of-${kind}`;
}

function textOf(mapped: readonly FtpServer[]): string {
  return mapped.map(({ user }, at) => `${user}: b${at}\n`).join('');
}

beforeAll(async () => {
  servers = await Promise.all(kinds.map((kind) => startFtpServer(kind, undefined, userOf(kind))));
  for (const { root, name } of servers) publish(root, 'where', Buffer.from(name));
  map = path.join(temporaryFolder('users'), 'users.yaml');
  writeFileSync(map, textOf(servers));
  balancer = await startBalancer(servers, { protocol: 'ftp', flags: [`--ftp-user-map=${map}`] });
});

afterEach(({ task }) => {
  if (task.result?.state === 'fail') console.error(balancer.program.stdout.slice(-4_000));
});

afterAll(async () => {
  await Promise.all([...servers, balancer].map(({ program }) => program.stop()));
});

function serverOf(kind: FtpServerName): FtpServer {
  const server = servers.find(({ name }) => name === kind);
  if (server === undefined) throw new Error(`no ${kind}`);
  return server;
}

/** A client that is led by hand, greeted. */
async function greeted(): Promise<FtpClient> {
  const control = await net.connectTcp(balancer.listener, { timeout: 5_000 });
  onTestFinished(() => control.reset());
  const client = new FtpClient(net, control, (what, condition) =>
    until(what, () => {
      const result = condition();
      return result === false ? undefined : result;
    }),
  );
  expect(await client.line()).toMatch(/^220 /);
  return client;
}

/** The last line of a reply that may have several. */
async function lastLine(client: FtpClient, command: string): Promise<string> {
  for (let line = await client.ask(command); ; line = await client.line()) {
    if (/^\d{3} /.test(line)) return line;
  }
}

for (const client of ftpClientNames) {
  describe.skipIf(lacksClient(client))(client, () => {
    const [verb = 'PASV'] = ftpClientSpecs[client].verbs;

    function targetOf({ user, password }: Pick<FtpServer, 'user' | 'password'>): FtpTarget {
      return { ...balancer.listener, user, password, verb };
    }

    test.each(kinds)('as the user of %s is led there', async (kind) => {
      const local = localFile();
      await takeSteps(client, targetOf(serverOf(kind)), [{ kind: 'download', remote: 'where', local }]);
      expect(readFileSync(local, 'utf8')).toBe(kind);
    });

    test('as somebody else is led nowhere', async () => {
      const steps = [{ kind: 'download', remote: 'where', local: localFile() }] as const;
      await expect(takeSteps(client, targetOf({ user: 'eve', password: 'x' }), steps)).rejects.toThrow('530');
      await balancer.said({ event: 'ftp.session.end', user: 'eve', backend: '', isLoggedIn: false });
    });
  });
}

describe.each(kinds)('%s', (kind) => {
  test('hears what was said before USER, and serves whoever said it', async () => {
    const client = await greeted();
    expect(await lastLine(client, 'FEAT')).toMatch(/^211 /);
    expect(await client.ask('CLNT test')).toMatch(/^200 /);
    expect(await client.ask('OPTS UTF8 ON')).toMatch(/^200 /);
    expect(await client.ask('OPTS MLST size;')).toMatch(/^200 /);
    const { user, password } = serverOf(kind);
    expect(await lastLine(client, `USER ${user}`)).toMatch(/^331 /);
    expect(await lastLine(client, `PASS ${password}`)).toMatch(/^230 /);
    expect(await lastLine(client, 'SIZE where')).toMatch(/^(?:213 \d+|550 SIZE not allowed in ASCII)/);
    expect(await lastLine(client, 'FEAT')).toMatch(/^211 /);
    expect(await lastLine(client, 'QUIT')).toMatch(/^221 /);
  });

  test('has no password sent that was meant for a host of another name', async () => {
    const client = await greeted();
    expect(await client.ask('HOST nowhere.invalid')).toMatch(/^220 /);
    const { user, password } = serverOf(kind);
    expect(await client.ask(`USER ${user}`)).toMatch(/^530 /);
    expect(await client.ask(`PASS ${password}`)).toMatch(/^503 /);
    expect(await client.ask('REIN')).toMatch(/^220 /);
    expect(await lastLine(client, `USER ${user}`)).toMatch(/^331 /);
    expect(await lastLine(client, `PASS ${password}`)).toMatch(/^230 /);
  });
});

test('a person who has mistyped one name after another gets the right server', async () => {
  const client = await greeted();
  for (const { user } of servers) expect(await lastLine(client, `USER ${user}`)).toMatch(/^331 /);
  expect(await client.ask('USER eve')).toMatch(/^530 /);
  const { user, password } = serverOf(kinds[0] ?? 'vsftpd');
  expect(await lastLine(client, `USER ${user}`)).toMatch(/^331 /);
  expect(await lastLine(client, `PASS ${password}`)).toMatch(/^230 /);
  await client.ask('QUIT');
  await balancer.said({
    event: 'ftp.session.end',
    user,
    backend: 'b0',
    isLoggedIn: true,
    tries: kinds.length + 1,
  });
});

describe.skipIf(lacks('pyftpdlib'))('a map that changes', () => {
  test('counts for the next session, and a bad one for none', async () => {
    const twins = [await startFtpServer('pyftpdlib'), await startFtpServer('pyftpdlib')];
    onTestFinished(() => Promise.all(twins.map(({ program }) => program.stop())).then(() => undefined));
    for (const [at, { root }] of twins.entries()) publish(root, 'where', Buffer.from(`b${at}`));
    const file = path.join(temporaryFolder('users'), 'users.yaml');
    writeFileSync(file, 'user: b0\n');
    const changing = await startBalancer(twins, { protocol: 'ftp', flags: [`--ftp-user-map=${file}`] });
    onTestFinished(async () => void (await changing.program.stop()));
    const { user, password } = ftpServerSpecs.pyftpdlib;
    const target = { ...changing.listener, user, password, verb: 'PASV' } as const;
    const where = async (): Promise<string> => (await download('basic-ftp', target, 'where')).toString();
    expect(await where()).toBe('b0');
    writeFileSync(file, 'user: b1\n');
    await changing.said({ event: 'ftp.users.loaded' });
    expect(await where()).toBe('b1');
    writeFileSync(file, 'user: [b0');
    await changing.said({ event: 'ftp.users.failed' });
    expect(await where()).toBe('b1');
  });
});
