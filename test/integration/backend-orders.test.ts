/** What an operator says of servers while clients are served: by several threads, on every engine. */
import path from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { type Balancer, startBalancer } from '../helpers/balancer.ts';
import { fetchFile, nobody, startEmbedded } from '../helpers/embedded.ts';
import { noise, temporaryFolder } from '../helpers/folders.ts';
import { download, upload } from '../helpers/ftp-transfers.ts';
import { stopAll, until } from '../helpers/processes.ts';
import { HeldDownload } from '../helpers/udp-peer.ts';
import { connectTo, loginTo, startFtpBalancer, startFtpServer } from './ftp.ts';

const image = noise(5_000);
const onLinux = process.platform === 'linux' && ['x64', 'arm64'].includes(process.arch);
const engines = ['portable', ...(onLinux ? ['linux'] : [])];

afterAll(stopAll);

function socketFlag(): string {
  return `--admin-socket=${path.join(temporaryFolder('orders'), 'admin.sock')}`;
}

async function times<T>(count: number, act: (n: number) => Promise<T>): Promise<T[]> {
  return Promise.all(Array.from({ length: count }, (_, n) => act(n)));
}

/** How many of `count` requests each server gets. */
async function sharesOf(
  balancer: Balancer,
  servers: readonly { readonly requests: readonly unknown[] }[],
  count: number,
): Promise<number[]> {
  const before = servers.map(({ requests }) => requests.length);
  const fetched = await times(count, () => fetchFile(balancer.listener, 'image'));
  for (const { bytes } of fetched) expect(bytes).toEqual(image);
  return servers.map(({ requests }, at) => requests.length - (before[at] ?? 0));
}

describe.each(engines)('TFTP over four workers of the %s engine', (engine) => {
  const flags = [`--engine=${engine}`, '--workers=4'];

  test('a server that drains finishes what it has, and gets nothing new until it is enabled', async () => {
    const servers = [0, 1, 2].map(() => startEmbedded({ image }));
    const balancer = await startBalancer(servers, { flags: [...flags, socketFlag()] });
    const held = await times(6, () => HeldDownload.begin(balancer.listener, 'image'));
    const over = new AbortController();
    const load = times(4, async () => {
      while (!over.signal.aborted) expect((await fetchFile(balancer.listener, 'image')).bytes).toEqual(image);
    });
    await until('there is load', () => balancer.sessions().length > 20 || undefined);
    expect(await balancer.order('tftp/b1', 'drain')).toBe(200);
    over.abort();
    await load;
    const { sessions } = await balancer.backend('b1');
    expect(sessions).toBeGreaterThan(0);
    expect(await balancer.backend('b1')).toMatchObject({ state: 'draining', operator: 'draining' });
    expect(await sharesOf(balancer, servers, 24)).toEqual([12, 0, 12]);
    for (const transfer of held) expect(await transfer.finish()).toEqual(image);
    await balancer.said({ event: 'backend.state', backend: 'b1', from: 'draining', to: 'drained' });
    expect(await balancer.backend('b1')).toMatchObject({ state: 'drained', sessions: 0 });
    expect(await balancer.metric('tftplb_backend_state', { backend: 'b1', state: 'drained' })).toBe(1);

    expect(await balancer.order('tftp/b1', 'enable')).toBe(200);
    expect(await balancer.backend('b1')).toMatchObject({ state: 'up', operator: 'enabled' });
    expect(await sharesOf(balancer, servers, 24)).toEqual([8, 8, 8]);
    expect(new Set(balancer.sessions().map(({ result }) => result))).toEqual(new Set(['ok']));
    const by = expect.stringMatching(/^admin socket$/);
    expect(await balancer.said({ backend: 'b1', to: 'draining' })).toMatchObject({ reason: 'operator', by });
  });

  test('a weight changes the shares, and back', async () => {
    const servers = [0, 1].map(() => startEmbedded({ image }));
    const balancer = await startBalancer(servers, { flags: [...flags, socketFlag()] });
    expect(await sharesOf(balancer, servers, 8)).toEqual([4, 4]);
    for (const [value, shares] of [['3', '12,4'] as const, ['default', '8,8'] as const]) {
      expect(await balancer.order('tftp/b0', `weight?value=${value}`)).toBe(200);
      await until(`every worker knows the weight ${value}`, async () =>
        (await sharesOf(balancer, servers, 16)).join() === shares ? true : undefined,
      );
    }
    const changes = balancer.lines().filter(({ event }) => event === 'backend.weight');
    expect(changes.map(({ from, to }) => [from, to])).toEqual([
      [1, 3],
      [3, 1],
    ]);
  });

  test('no more than half of the servers are ejected, however many are dead', async () => {
    const servers = [nobody, nobody, nobody, startEmbedded({ image })];
    const balancer = await startBalancer(
      servers.map(({ address, port }) => ({ address, port })),
      { flags },
    );
    for (let round = 0; round < 8; round += 1) {
      await times(4, () => fetchFile(balancer.listener, 'image'));
      const { services } = await balancer.status();
      const ejected = services.flatMap(({ backends }) => backends.filter(({ ejected }) => ejected));
      expect(ejected.length).toBeLessThanOrEqual(2);
    }
    await balancer.ended(32);
    expect(balancer.shares()).toEqual({ b3: 32 });
    expect(balancer.lines().filter(({ to }) => to === 'ejected')).toHaveLength(2);
  });
});

test('FTP sessions on a draining server go on, and new ones go elsewhere', async () => {
  const servers = [await startFtpServer({ name: 's0' }), await startFtpServer({ name: 's1' })];
  const balancer = await startFtpBalancer(servers, '--workers=4', socketFlag());
  const clients = await times(8, () => loginTo(balancer.listener));
  expect((await balancer.backend('b1')).sessions).toBe(4);
  expect(await balancer.order('ftp/b1', 'drain')).toBe(200);
  for (let n = 0; n < 6; n += 1) {
    expect(await (await connectTo(balancer.listener)).line()).toBe('220 s0 ready');
  }
  const { server } = servers[1] ?? {};
  if (!server) throw new Error('no server');
  for (const client of clients) {
    await download(client, 'EPSV');
    expect(await client.ask('PWD')).toMatch(/^\d{3} /);
  }
  expect(await balancer.backend('b1')).toMatchObject({ state: 'draining', sessions: 4 });
  for (const client of clients) expect(await client.ask('QUIT')).toMatch(/^221 /);
  await balancer.said({ event: 'backend.state', backend: 'b1', to: 'drained' });
  expect(await balancer.order('ftp/b1', 'enable')).toBe(200);
  const greetings = await times(6, async () => (await connectTo(balancer.listener)).line());
  expect(greetings.filter((line) => line === '220 s1 ready')).toHaveLength(3);
});

test('an FTP upload to a draining server ends well', async () => {
  const only = await startFtpServer();
  const balancer = await startFtpBalancer([only], socketFlag());
  const client = await loginTo(balancer.listener);
  expect(await balancer.order('ftp/b0', 'drain')).toBe(200);
  await upload(client, 'PASV', only.server);
  expect(await (await connectTo(balancer.listener)).line()).toMatch(/^421 /);
  expect(await (await balancer.admin('/readyz')).json()).toMatchObject({
    ready: false,
    reasons: ['ftp: all 1 backends are down or disabled'],
  });
});
