/** FTP clients and servers that say too much or too little: what they cost is bounded, and others do not notice. */
import { afterAll, describe, expect, onTestFinished, test } from 'vitest';
import { bytes } from '../contract/net-tcp-scene.ts';
import type { Balancer } from '../helpers/balancer.ts';
import type { FtpClient } from '../helpers/ftp-client.ts';
import { download } from '../helpers/ftp-transfers.ts';
import { stopAll, until } from '../helpers/processes.ts';
import { Bystander } from './bystander.ts';
import { connectTo, loginTo, startFtpBalancer, startFtpServer, verbsOf } from './ftp.ts';

afterAll(stopAll);

const stranger = '127.0.0.2';

/** Expects lines with this reason, but a small part of `count`. */
async function expectFewLines(
  balancer: Balancer,
  event: string,
  reason: string,
  count: number,
): Promise<void> {
  await balancer.said({ event, reason });
  const lines = balancer.lines().filter((line) => line.event === event && line['reason'] === reason);
  expect(lines.length).toBeLessThan(count);
}

/** Sends a command so many times without waiting, and returns the answers. */
async function flood(
  { control, ear, until: wait }: FtpClient,
  command: string,
  count: number,
): Promise<string[]> {
  const { length } = ear;
  const answers = (): string[] => ear.data.slice(length).split('\r\n').slice(0, -1);
  control.write(bytes(`${command}\r\n`.repeat(count)));
  await wait('all answers', () => answers().length >= count);
  return answers();
}

describe('a flood of PASV and EPSV', () => {
  const count = 1_000;

  test('before the login is refused, and few of them are logged', async () => {
    const server = await startFtpServer();
    const balancer = await startFtpBalancer([server]);
    const bystander = await Bystander.start(balancer, server);
    const client = await connectTo(balancer.listener, stranger);
    await client.line();
    for (const verb of ['PASV', 'EPSV']) {
      expect(new Set(await flood(client, verb, count))).toEqual(
        new Set(['530 Please login with USER and PASS.']),
      );
    }
    const metric = 'tftplb_ftp_refused_commands_total';
    expect(await balancer.metric(metric, { reason: 'not-logged-in' })).toBe(2 * count);
    await expectFewLines(balancer, 'ftp.refused', 'not-logged-in', count / 10);
    expect(verbsOf(server)).toEqual(['EPSV', 'RETR']);
    await bystander.expectUndisturbed();
  });

  test('in a session takes one port at a time', async () => {
    const server = await startFtpServer();
    const balancer = await startFtpBalancer([server]);
    const bystander = await Bystander.start(balancer, server);
    const client = await loginTo(balancer.listener, stranger);
    const before = balancer.descriptors();
    for (const verb of ['EPSV', 'PASV']) {
      const answers = await flood(client, verb, count);
      expect(answers.filter((answer) => !/^22[79] Entering /u.test(answer))).toEqual([]);
      expect(balancer.descriptors()).toBe(before + 1);
    }
    expect(await balancer.metric('tftplb_ftp_passive_ports_used')).toBe(1);
    await download(await loginTo(balancer.listener), 'EPSV');
    await bystander.expectUndisturbed();
  });
});

describe('a line of a megabyte', () => {
  const line = 'A'.repeat(1_048_576);

  test('of a client is refused once, and the next one is a command again', async () => {
    const server = await startFtpServer();
    const balancer = await startFtpBalancer([server]);
    const bystander = await Bystander.start(balancer, server);
    const clients = [
      await connectTo(balancer.listener, stranger),
      await loginTo(balancer.listener, stranger),
    ];
    await clients[0]?.line();
    for (const client of clients) {
      for (const start of ['', 'USER ', 'RETR ']) {
        client.control.write(bytes(start + line));
        expect(await client.line()).toBe('500 Command line too long.');
        client.send(line);
        expect(await client.ask('NOOP')).toBe('200 fine');
      }
    }
    await balancer.said({ event: 'ftp.refused', reason: 'malformed' });
    const metric = 'tftplb_ftp_refused_commands_total';
    expect(await balancer.metric(metric, { reason: 'malformed' })).toBe(6);
    expect(server.server.sessions.flatMap(({ heard }) => heard).join('').length).toBeLessThan(1_000);
    await bystander.expectUndisturbed();
  });

  test('of a server ends its session', async () => {
    const server = await startFtpServer({ handlers: { SIZE: (session) => session.say(`213 ${line}`) } });
    const balancer = await startFtpBalancer([server]);
    const bystander = await Bystander.start(balancer, server);
    const client = await loginTo(balancer.listener, stranger);
    expect(await client.ask('SIZE file')).toMatch(/^421 /u);
    await balancer.said({ event: 'ftp.session.end', end: 'backend-protocol' });
    const metric = 'tftplb_ftp_sessions_ended_total';
    expect(await balancer.metric(metric, { end: 'backend-protocol' })).toBe(1);
    await bystander.expectUndisturbed();
  });
});

describe('clients that never finish their login', () => {
  const count = 40;

  test('are told so after their time, however busy they look', async () => {
    const server = await startFtpServer();
    const balancer = await startFtpBalancer([server], '--ftp-login-timeout=2s');
    const bystander = await Bystander.start(balancer, server);
    const clients = await Promise.all(
      Array.from({ length: count }, () => connectTo(balancer.listener, stranger)),
    );
    const timer = setInterval(() => {
      for (const [at, { control }] of clients.entries())
        control.write(bytes(at % 2 === 0 ? 'U' : 'NOOP\r\n'));
    }, 50);
    onTestFinished(() => clearInterval(timer));
    await download(await loginTo(balancer.listener), 'EPSV');
    for (const client of clients) await client.until('the end', () => client.ear.events.length > 0);
    for (const { ear } of clients) {
      expect(ear.data.endsWith('421 Login timed out, closing control connection.\r\n')).toBe(true);
    }
    const ends = (): unknown[] => balancer.lines().filter(({ end }) => end === 'login-timeout');
    await until('all are logged', () => ends().length === count || undefined);
    const metric = 'tftplb_ftp_sessions_ended_total';
    expect(await balancer.metric(metric, { end: 'login-timeout' })).toBe(count);
    await bystander.expectUndisturbed();
  });

  test('cannot take the sessions of others where each client has a limit', async () => {
    const server = await startFtpServer();
    const flags = ['--ftp-max-sessions=10', '--ftp-max-sessions-per-client=8'];
    const balancer = await startFtpBalancer([server], ...flags);
    const bystander = await Bystander.start(balancer, server);
    const greetings: string[] = [];
    for (let at = 0; at < count; at += 1) {
      greetings.push(await (await connectTo(balancer.listener, stranger)).line());
    }
    const refusal = '421 Too many connections from your address, try again later.';
    expect(greetings.filter((greeting) => greeting === refusal).length).toBe(count - 8);
    const reason = 'max-sessions-per-client';
    await expectFewLines(balancer, 'session.reject', reason, count - 8);
    expect(await balancer.metric('tftplb_requests_rejected_total', { reason })).toBe(count - 8);
    await download(await loginTo(balancer.listener), 'EPSV');
    await bystander.expectUndisturbed();
  });
});
