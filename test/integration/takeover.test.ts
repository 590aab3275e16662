/** A balancer takes over from another one while transfers and sessions run: what their clients see of it. */
import { randomInt } from 'node:crypto';
import path from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import type { Endpoint } from '../../src/net/net.ts';
import { ConfiguredBalancer, fileOf, placeOf } from '../helpers/configured.ts';
import { fetchFile, startEmbedded } from '../helpers/embedded.ts';
import { noise, removeFolders, temporaryFolder } from '../helpers/folders.ts';
import { content, isContent } from '../helpers/ftp-transfers.ts';
import { deaths, dieAt, postTakeover } from '../helpers/mortal-taker.ts';
import { stopAll } from '../helpers/processes.ts';
import { HeldDownload } from '../helpers/udp-peer.ts';
import { type Site, Upgrades } from '../helpers/upgrades.ts';
import { loginTo, type RunningServer, startFtpServer } from './ftp.ts';

const image = noise(30_000);

afterAll(async () => {
  await stopAll();
  removeFolders();
});

/** Both modes of TIDs, and FTP. */
async function siteOf(): Promise<{ site: Site; ftp: RunningServer }> {
  const servers = [startEmbedded({ image }), startEmbedded({ image })];
  const ftp = await startFtpServer();
  const site: Site = {
    many: { backends: servers },
    single: { backends: servers, more: 'tftp: { single-port: true }' },
    ftp: { protocol: 'ftp', backends: [ftp] },
  };
  return { site, ftp };
}

async function download(listener: Endpoint): Promise<void> {
  const { bytes } = await fetchFile(listener, 'image', {});
  expect(bytes.equals(image)).toBe(true);
}

async function ftpSession(listener: Endpoint): Promise<void> {
  const client = await loginTo(listener);
  const { ear } = await client.connect(await client.epsv());
  client.send('RETR file');
  expect([await client.line(), await client.line()]).toEqual(['150 here it comes', '226 done']);
  await client.until('the whole file', () => isContent(Buffer.concat(ear.chunks)));
  expect(await client.ask('QUIT')).toBe('221 bye');
}

/** Does it again and again, several at a time. `end` resolves with how often, and rejects when it failed once. */
function repeat(count: number, act: () => Promise<void>): { end(): Promise<number> } {
  const over = new AbortController();
  const loops = Array.from({ length: count }, async () => {
    let times = 0;
    for (; !over.signal.aborted; times += 1) await act();
    return times;
  });
  const all = Promise.all(loops);
  all.catch(() => undefined);
  return {
    end: async () => {
      over.abort();
      return (await all).reduce((sum, times) => sum + times, 0);
    },
  };
}

describe('under load', () => {
  test('no transfer and no session fails, however often a process takes over', async () => {
    const { site, ftp } = await siteOf();
    const upgrades = await Upgrades.start(site, ['--workers=2']);
    const load = [
      repeat(2, () => download(upgrades.at('many'))),
      repeat(2, () => download(upgrades.at('single'))),
      repeat(1, () => ftpSession(upgrades.at('ftp'))),
    ];
    const held: HeldDownload[] = [];
    const sender = await loginTo(upgrades.at('ftp'));
    const data = await sender.connect(await sender.epsv());
    sender.send('STOR copy');
    data.socket.write(content.subarray(0, 1_000));
    for (let round = 0; round < 3; round += 1) {
      held.push(await HeldDownload.begin(upgrades.at('many'), 'image'));
      held.push(await HeldDownload.begin(upgrades.at('single'), 'image'));
      await upgrades.next();
    }
    const files = await Promise.all(held.map((transfer) => transfer.finish()));
    expect(files.every((file) => file.equals(image))).toBe(true);
    data.socket.write(content.subarray(1_000));
    data.socket.end();
    expect([await sender.line(), await sender.line()]).toEqual(['150 go on', '226 done']);
    expect(isContent(ftp.server.files.get('copy'))).toBe(true);
    expect(await sender.ask('QUIT')).toBe('221 bye');
    const [many = 0, single = 0, sessions = 0] = await Promise.all(load.map((loop) => loop.end()));
    expect(Math.min(many, single, sessions)).toBeGreaterThan(0);
    for (const exit of await upgrades.ended()) expect(exit).toMatchObject({ code: 0, stderr: '' });
    await expect.poll(() => upgrades.results()).toEqual({ ok: many + single + held.length });
    const { services } = await upgrades.latest.balancer.status();
    expect(services.map((service) => service.sessions)).toEqual([0, 0, 0]);
  }, 60_000);
});

test('a transfer stays with a server that the new process does not know', async () => {
  const [one, two] = [startEmbedded({ image }), startEmbedded({ image })];
  const upgrades = await Upgrades.start({ many: { backends: [one] } }, ['--workers=1']);
  const held = await HeldDownload.begin(upgrades.at('many'), 'image');
  const listeners = [placeOf(upgrades.at('many'))];
  const { balancer } = await upgrades.next(fileOf({ many: { backends: [two], listeners } }));
  await download(upgrades.at('many'));
  expect((await held.finish()).equals(image)).toBe(true);
  const ended = (await balancer.ended(2)).map(({ backend }) => backend);
  expect(ended).toEqual([placeOf(two), placeOf(one)]);
  expect([one.requests.length, two.requests.length]).toEqual([1, 1]);
}, 60_000);

test('a listener on all addresses moves with its transfers', async () => {
  const backends = [startEmbedded({ image })];
  const everywhere = (port: number): string => fileOf({ many: { backends, listeners: [`0.0.0.0:${port}`] } });
  const upgrades = await Upgrades.start({ many: { backends, listeners: ['0.0.0.0:0'] } }, ['--workers=2']);
  const { port } = upgrades.at('many');
  const held = await HeldDownload.begin({ address: '127.0.0.1', port }, 'image');
  await upgrades.next(everywhere(port));
  await upgrades.next(everywhere(port));
  expect((await held.finish()).equals(image)).toBe(true);
  await download({ address: '127.0.0.1', port });
}, 60_000);

test('the operator’s orders are kept', async () => {
  const { site } = await siteOf();
  const upgrades = await Upgrades.start(site, ['--workers=1']);
  const { balancer } = upgrades.latest;
  const [first, second] = (await balancer.status()).services[0]?.backends.map(({ name }) => name) ?? [];
  expect(await balancer.order(`many/${first}`, 'drain')).toBe(200);
  expect(await balancer.order(`many/${second}`, 'weight?value=7')).toBe(200);
  const next = (await upgrades.next()).balancer;
  const { services } = await next.status();
  expect(services[0]?.backends).toMatchObject([
    { name: first, enabled: false },
    { name: second, enabled: true, weight: 7 },
  ]);
}, 60_000);

test('a range of ports for TIDs moves with its transfers, and goes on to be the range', async () => {
  const backends = [startEmbedded({ image })];
  const first = randomInt(20_000, 30_000);
  const last = first + 40;
  const more = `tftp: { tid-ports: ${first}-${last} }`;
  const upgrades = await Upgrades.start({ many: { backends, more } }, ['--workers=2']);
  const held = await HeldDownload.begin(upgrades.at('many'), 'image');
  await upgrades.next();
  const after = await HeldDownload.begin(upgrades.at('many'), 'image');
  await upgrades.next();
  for (const transfer of [held, after]) {
    expect(transfer.tid).toBeGreaterThanOrEqual(first);
    expect(transfer.tid).toBeLessThanOrEqual(last);
    expect((await transfer.finish()).equals(image)).toBe(true);
  }
  await download(upgrades.at('many'));
}, 60_000);

test('the number of workers stays, which is said where another one is configured', async () => {
  const { site } = await siteOf();
  const upgrades = await Upgrades.start(site, ['--workers=2']);
  const same = (await upgrades.next()).balancer;
  const other = await ConfiguredBalancer.start(upgrades.text, [...upgrades.flags, '--workers=1']);
  await other.balancer.said({ level: 'warn', workers: 2, configured: 1 });
  expect(same.saidTimes({ level: 'warn', workers: 2 })).toBe(0);
}, 60_000);

describe('a takeover that does not come about', () => {
  test.each(deaths)(
    'leaves all as it was when the new process dies behind “%s”',
    async (death) => {
      const { site } = await siteOf();
      const upgrades = await Upgrades.start(site, ['--workers=2']);
      const old = upgrades.latest.balancer;
      const held = await Promise.all(
        ['many', 'single'].map((service) => HeldDownload.begin(upgrades.at(service), 'image')),
      );
      const descriptors = old.descriptors();
      await dieAt(upgrades.socket, death);
      await old.said({ event: 'takeover.failed' });
      await expect.poll(() => old.descriptors()).toBe(descriptors);
      await Promise.all([download(upgrades.at('single')), ftpSession(upgrades.at('ftp'))]);
      expect(await upgrades.latest.gauge('tftplb_takeover_failures_total')).toBe(1);
      expect(old.saidTimes({ event: 'listener.down' })).toBe(0);
      await upgrades.next();
      const files = await Promise.all(held.map((transfer) => transfer.finish()));
      expect(files.every((file) => file.equals(image))).toBe(true);
      expect(await old.program.ended).toMatchObject({ code: 0, stderr: '' });
    },
    60_000,
  );

  test('is told why: the new process does not listen where the old one does', async () => {
    const { site } = await siteOf();
    const upgrades = await Upgrades.start(site, ['--workers=1']);
    const { single = { backends: [] }, ftp = { backends: [] } } = site;
    const less = fileOf({ single: { ...single, listeners: [placeOf(upgrades.at('single'))] }, ftp });
    const failing = ConfiguredBalancer.start(less, upgrades.flags);
    const place = placeOf(upgrades.at('many'));
    await expect(failing).rejects.toThrow(
      `the running process listens where this one is not told to: tftp ${place}`,
    );
    await upgrades.latest.balancer.said({ event: 'takeover.failed' });
    await download(upgrades.at('many'));
  }, 60_000);

  test('is told why: a service has another name', async () => {
    const { site } = await siteOf();
    const upgrades = await Upgrades.start(site, ['--workers=1']);
    const renamed = upgrades.text.replace('  many:', '  others:');
    await expect(upgrades.next(renamed)).rejects.toThrow(
      'tftp-lb: the running process has a TFTP service many, and this configuration does not',
    );
    await upgrades.latest.balancer.said({ event: 'takeover.failed' });
    await download(upgrades.at('many'));
  }, 60_000);

  test('behind its last session but one tells no client anything', async () => {
    const { site } = await siteOf();
    const upgrades = await Upgrades.start(site, ['--workers=1']);
    const held = await Promise.all(
      ['many', 'single'].map((service) => HeldDownload.begin(upgrades.at(service), 'image')),
    );
    // The new process has the sessions of one service when it finds out about the other.
    const other = upgrades.text.replace('single-port: true', 'single-port: false');
    await expect(upgrades.next(other)).rejects.toThrow(
      'service single takes its TIDs from elsewhere than before',
    );
    await upgrades.latest.balancer.said({ event: 'takeover.failed' });
    const files = await Promise.all(held.map((transfer) => transfer.finish()));
    expect(files.every((file) => file.equals(image))).toBe(true);
    await expect.poll(() => upgrades.results()).toEqual({ ok: 2 });
  }, 60_000);

  test('ends the new process: nobody runs there, or nothing can be handed over', async () => {
    const { site } = await siteOf();
    const nowhere = path.join(temporaryFolder('takeover'), 'admin.sock');
    const alone = ConfiguredBalancer.start(fileOf(site), ['--takeover', `--admin-socket=${nowhere}`]);
    await expect(alone).rejects.toThrow('there is no admin socket');
    const portable = await Upgrades.start(site, ['--engine=portable']);
    await expect(portable.next()).rejects.toThrow('--takeover needs the linux engine');
    const other = ConfiguredBalancer.start(portable.text, [
      '--takeover',
      `--admin-socket=${portable.socket}`,
    ]);
    await expect(other).rejects.toThrow('the portable engine has no sockets to hand over');
    await download(portable.at('many'));
  }, 60_000);

  test('of one that is no process of a balancer is refused at once', async () => {
    const upgrades = await Upgrades.start((await siteOf()).site);
    expect(await postTakeover(upgrades.socket, '/nowhere/at/all')).toMatchObject({ status: 409 });
    expect(await postTakeover(upgrades.socket, 'relative')).toMatchObject({ status: 400 });
  });
});
