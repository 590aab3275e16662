/** Servers that die or keep silent: real clients must not notice as long as another server can answer. */
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest';
import { startBalancer } from '../helpers/balancer.ts';
import { cleanUp } from '../helpers/clean-up.ts';
import { clientNames, get, put, TransferFailed, type ClientName } from '../helpers/clients.ts';
import { startServer, type Server } from '../helpers/daemons.ts';
import { noise, publish } from '../helpers/folders.ts';
import { queuedAt } from '../helpers/kernel.ts';
import { lacks } from '../helpers/peers.ts';
import { stopAll, until } from '../helpers/processes.ts';
import { boundSocket } from '../helpers/sockets.ts';

const content = noise(5_000);
/** Far below the patience of every client. */
const quick = { flags: ['--try-interval=300ms'] };

afterEach(stopAll);
afterAll(cleanUp);

async function startPair(): Promise<[Server, Server]> {
  const pair = await Promise.all([startServer('atftpd'), startServer('atftpd')]);
  for (const { root } of pair) publish(root, 'image', content);
  return pair;
}

describe.skipIf(lacks('atftpd', ...clientNames)).each(clientNames)('%s', (client: ClientName) => {
  let first: Server;
  let second: Server;

  beforeEach(async () => {
    [first, second] = await startPair();
  });

  test('downloads although a server was killed while idle', async () => {
    const balancer = await startBalancer([first, second], quick);
    const download = (): Promise<Buffer> => get(client, { ...balancer.listener, file: 'image' });
    expect([await download(), await download()]).toEqual([content, content]);
    await balancer.ended(2);
    expect(balancer.shares()).toEqual({ b0: 1, b1: 1 });

    first.program.signal('SIGKILL');
    await first.program.ended;
    for (let request = 0; request < 3; request += 1) expect(await download()).toEqual(content);
    const later = (await balancer.ended(5)).slice(2);
    expect(later.map(({ backend, result }) => `${backend} ${result}`)).toEqual(Array(3).fill('b1 ok'));
    // The refusal took the dead one out, so only one request can have met it.
    expect(later.map(({ tries }) => tries).filter((tries) => tries > 1)).toEqual([2]);
  });

  test('downloads although a server is killed before it answers', async () => {
    const balancer = await startBalancer([first, second], quick);
    first.program.signal('SIGSTOP');
    const downloads = [1, 2].map(() => get(client, { ...balancer.listener, file: 'image' }));
    await until('the stopped server has a request', () => queuedAt(first.port) > 0 || undefined);
    first.program.signal('SIGKILL');
    expect(await Promise.all(downloads)).toEqual([content, content]);
    const sessions = await balancer.ended(2);
    expect(sessions.map(({ backend, tries }) => `${backend} ${tries}`).toSorted()).toEqual(['b1 1', 'b1 2']);
  });

  test('downloads although a server never answers', async () => {
    const silent = await boundSocket('127.0.0.1');
    const balancer = await startBalancer([silent.address(), second], quick);
    for (let request = 0; request < 4; request += 1) {
      expect(await get(client, { ...balancer.listener, file: 'image' })).toEqual(content);
    }
    silent.close();
    const sessions = await balancer.ended(4);
    expect(sessions.map(({ backend, result }) => `${backend} ${result}`)).toEqual(Array(4).fill('b1 ok'));
    expect(sessions.map(({ tries }) => tries).filter((tries) => tries > 1)).toEqual([2]);
  });

  test('uploads although a server was killed', async () => {
    first.program.signal('SIGKILL');
    await first.program.ended;
    const balancer = await startBalancer([first, second], quick);
    for (const file of ['one', 'two']) await put(client, { ...balancer.listener, file }, content);
    const sessions = await balancer.ended(2);
    expect(sessions.map(({ backend, result }) => `${backend} ${result}`)).toEqual(['b1 ok', 'b1 ok']);
  });

  test('is told at once when no server is left', async () => {
    const pair = [first, second];
    for (const { program } of pair) program.signal('SIGKILL');
    await Promise.all(pair.map(({ program }) => program.ended));
    const balancer = await startBalancer(pair, quick);
    const failure = get(client, { ...balancer.listener, file: 'image' });
    await expect(failure).rejects.toSatisfy(
      (error) => error instanceof TransferFailed && error.exit.signal === undefined,
    );
    const [session] = await balancer.ended(1);
    expect(session).toMatchObject({ result: 'no-backend', error: { from: 'balancer', code: 0 } });
  });
});
