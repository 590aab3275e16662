/** FTP when the balancer runs out of passive ports or of file descriptors: clear answers, and all is well again afterwards. */
import { randomInt } from 'node:crypto';
import { afterAll, describe, expect, test } from 'vitest';
import { formatPort } from '../../src/ftp/endpoints.ts';
import { startBalancer, type Balancer } from '../helpers/balancer.ts';
import type { FtpClient } from '../helpers/ftp-client.ts';
import { FtpDialogue } from '../helpers/ftp-dialogue.ts';
import { content, download } from '../helpers/ftp-transfers.ts';
import { stopAll, until } from '../helpers/processes.ts';
import { connectTo, loginTo, net, startFtpBalancer, startFtpServer } from './ftp.ts';

afterAll(stopAll);

/** File descriptors of a balancer that soon has none left. */
const limit = 72;
const noPort = '425 Cannot open passive connection.';

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function counted(balancer: Balancer, what: string, labels: Record<string, string> = {}): Promise<number> {
  return balancer.metric(`tftplb_ftp_${what}`, labels);
}

/** The first of two ports of 127.0.0.1, one behind the other, that nobody holds now. */
async function freePair(): Promise<number> {
  const handlers = { onConnection: () => undefined, onError: () => undefined };
  return until('two ports are free', async () => {
    const first = randomInt(20_000, 30_000);
    const attempts = [first, first + 1].map((port) =>
      net.listenTcp({ address: '127.0.0.1', port }, handlers),
    );
    const listeners = await Promise.allSettled(attempts);
    for (const listener of listeners) if (listener.status === 'fulfilled') listener.value.close();
    return listeners.every(({ status }) => status === 'fulfilled') ? first : undefined;
  });
}

/** A balancer that has two passive ports, and three clients that have logged in. */
async function startWithTwoPorts(
  ...flags: readonly string[]
): Promise<[Balancer, FtpClient, FtpClient, FtpClient]> {
  const first = await freePair();
  const range = `--passive-ports=${first}-${first + 1}`;
  const balancer = await startFtpBalancer([await startFtpServer()], range, ...flags);
  const login = (): Promise<FtpClient> => loginTo(balancer.listener);
  return [balancer, await login(), await login(), await login()];
}

/** Connects until no more are let in. Returns who was, and what the last one was told. */
async function fill(balancer: Balancer): Promise<{ crowd: FtpClient[]; refusal: string }> {
  const crowd: FtpClient[] = [];
  for (;;) {
    const client = await connectTo(balancer.listener);
    const greeting = await client.line();
    if (!greeting.startsWith('220')) return { crowd, refusal: greeting };
    crowd.push(client);
  }
}

/** A session of one download. Rejects with whatever stood in its way. */
async function fetchFile(balancer: Balancer): Promise<string> {
  const client = await FtpDialogue.login({ ...balancer.listener, user: 'joe', password: 'secret' });
  try {
    return (await client.download('EPSV', 'file')).equals(content) ? 'whole' : 'other content';
  } finally {
    client.close();
  }
}

/** Expects that nothing is left open, and that the next transfers go well. */
async function expectRecovery(balancer: Balancer, descriptors: number): Promise<void> {
  await until('all are given back', () => balancer.descriptors() === descriptors || undefined);
  await download(await loginTo(balancer.listener), 'EPSV');
  await download(await loginTo(balancer.listener), 'PORT');
  expect([balancer.program.exit, balancer.program.stderr]).toEqual([undefined, '']);
}

describe('passive ports', () => {
  test('that are all taken: 425, and a port that is given back goes to the next one', async () => {
    const [balancer, one, two, three] = await startWithTwoPorts();
    await one.epsv();
    await two.pasv();
    expect(await three.ask('EPSV')).toBe(noPort);
    expect(await three.ask('PASV')).toBe(noPort);
    for (const command of ['EPSV', 'PASV']) {
      await balancer.said({ event: 'ftp.refused', reason: 'no-listener', command });
    }
    await balancer.said({ level: 'warn', event: 'ftp.data-refused', leg: 'client', reason: 'no-ports' });
    expect(await counted(balancer, 'refused_commands_total', { reason: 'no-listener' })).toBe(2);
    expect(
      await counted(balancer, 'refused_data_connections_total', { leg: 'client', reason: 'no-ports' }),
    ).toBe(2);
    expect(await counted(balancer, 'passive_ports_used')).toBe(2);
    expect(await counted(balancer, 'passive_ports')).toBe(2);

    await download(three, 'PORT');
    // Whoever has one may have another one in its place.
    await download(one, 'EPSV');
    await download(three, 'EPSV');
    await two.ask('QUIT');
    await balancer.said({ event: 'ftp.session.end', end: 'quit' });
    expect(await counted(balancer, 'passive_ports_used')).toBe(0);
  });

  test('that nobody connects to are free again after their time', async () => {
    const [balancer, one, two, three] = await startWithTwoPorts('--ftp-accept-timeout=500ms');
    await one.epsv();
    await two.epsv();
    expect(await three.ask('EPSV')).toBe(noPort);
    await until(
      'none is in use',
      async () => (await counted(balancer, 'passive_ports_used')) === 0 || undefined,
    );
    await download(three, 'EPSV');
    await download(one, 'PASV');
  });
});

describe('file descriptors', () => {
  test('that are all taken: 421 to newcomers, 425 to who is there, until some are given back', async () => {
    const balancer = await startBalancer([await startFtpServer()], { protocol: 'ftp', descriptors: limit });
    const before = balancer.descriptors();
    const client = await loginTo(balancer.listener);
    const { crowd, refusal } = await fill(balancer);
    expect(crowd.length).toBeGreaterThan(10);
    expect(refusal).toMatch(/^421 /u);
    const late = await connectTo(balancer.listener);
    expect(await late.line()).toBe('421 Too many connections, try again later.');
    await balancer.said({ level: 'warn', event: 'session.reject', reason: 'no-resources' });

    const { at } = await client.listen();
    await client.ask(`PORT ${formatPort(at.address, at.port)}`);
    expect(await client.ask('RETR file')).toBe('425 Cannot open data connection.');
    await balancer.said({ level: 'warn', event: 'ftp.data-refused', reason: 'no-resources' });
    expect(await client.ask('NOOP')).toBe('200 fine');

    for (const { control } of [...crowd, late]) control.reset();
    await until('there is room', () => balancer.descriptors() < limit - 10 || undefined);
    await download(client, 'EPSV');
    client.control.reset();
    await expectRecovery(balancer, before);
    const reasons = { reason: 'no-resources' };
    expect(await balancer.metric('tftplb_requests_rejected_total', reasons)).toBeGreaterThan(0);
    expect(await counted(balancer, 'refused_data_connections_total', reasons)).toBeGreaterThan(0);
  });

  test('for fewer than come at once: each gets its file or an answer that says why not', async () => {
    const balancer = await startBalancer([await startFtpServer()], { protocol: 'ftp', descriptors: limit });
    const before = balancer.descriptors();
    const attempts = Array.from({ length: 60 }, () => fetchFile(balancer).catch(messageOf));
    const outcomes = await Promise.all(attempts);
    expect(outcomes.filter((outcome) => !/^whole$| not 42[15] |ECONNRESET/u.test(outcome))).toEqual([]);
    expect(outcomes).toContain('whole');
    expect(outcomes).not.toEqual(attempts.map(() => 'whole'));
    await expectRecovery(balancer, before);
  });
});
