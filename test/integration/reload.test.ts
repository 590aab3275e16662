/** Changes of the configuration of a balancer that serves: what they change, and that no client notices. */
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import type { Endpoint } from '../../src/net/net.ts';
import { startBalancer } from '../helpers/balancer.ts';
import { ConfiguredBalancer, fileOf, placeOf, type ServiceText } from '../helpers/configured.ts';
import { type EmbeddedServer, fetchFile, startEmbedded } from '../helpers/embedded.ts';
import { noise, removeFolders, temporaryFolder } from '../helpers/folders.ts';
import { content, isContent } from '../helpers/ftp-transfers.ts';
import { stopAll } from '../helpers/processes.ts';
import { ownLoopback } from '../helpers/sockets.ts';
import { HeldDownload } from '../helpers/udp-peer.ts';
import { connectTo, loginTo, startFtpServer } from './ftp.ts';

afterAll(async () => {
  await stopAll();
  removeFolders();
});

const image = noise(20_000);

function servers(count: number): EmbeddedServer[] {
  return Array.from({ length: count }, () => startEmbedded({ image }));
}

/** One service of TFTP. */
function pxe(backends: ServiceText['backends'], rest: Partial<ServiceText> = {}): string {
  return fileOf({ pxe: { backends, ...rest } });
}

/** One service of FTP. */
function ftp(backend: Endpoint, rest: Partial<ServiceText> = {}): string {
  return fileOf({ ftp: { protocol: 'ftp', backends: [backend], ...rest } });
}

async function isFetched(listener: Endpoint): Promise<boolean> {
  const { bytes } = await fetchFile(listener, 'image');
  return bytes.equals(image);
}

/** Downloads on and on, several at a time. Resolves with how many there were; rejects when one fails. */
function load(listener: Endpoint): { end(): Promise<number> } {
  const over = new AbortController();
  const loops = Array.from({ length: 4 }, async () => {
    let count = 0;
    for (; !over.signal.aborted; count += 1) expect(await isFetched(listener)).toBe(true);
    return count;
  });
  const all = Promise.all(loops);
  all.catch(() => undefined);
  return {
    end: async () => {
      over.abort();
      return (await all).reduce((sum, count) => sum + count, 0);
    },
  };
}

describe('under load', () => {
  test('backends, weights, rules, listeners and services come and go, and no transfer fails', async () => {
    const [one, two, three] = servers(3) as [EmbeddedServer, EmbeddedServer, EmbeddedServer];
    const other = ownLoopback();
    const both = ['127.0.0.1:0', `${other}:0`];
    const site = await ConfiguredBalancer.start(pxe([one, two]), ['--workers=2']);
    const listener = await site.listener('pxe');
    const running = load(listener);
    const held = await HeldDownload.begin(listener, 'image');
    const files = [
      pxe([two, three]),
      pxe([`${placeOf(two)},weight=9`, three], { listeners: both }),
      pxe([three], { more: 'policy: least-sessions, limits: { max-sessions: 900 }' }),
      fileOf({
        pxe: { backends: [one], more: 'tftp: { retry-not-found: true }' },
        more: { backends: [two], listeners: [`${other}:0`] },
        ftp: { protocol: 'ftp', backends: [two] },
      }),
      pxe([one, two, three], { more: 'policy: source-hash, tftp: { tid-ports: 30000-39999 }' }),
    ];
    for (const file of files) expect(await site.reload(file)).toMatchObject({ event: 'config.applied' });
    expect(await site.reload('services: {}\n')).toMatchObject({ event: 'config.refused' });
    expect(await held.finish()).toEqual(image);
    const transfers = await running.end();
    const ended = await site.balancer.ended(transfers + 1);
    expect(ended.filter(({ result }) => result !== 'ok' && result !== 'ok-unacked')).toEqual([]);
    const ups = site.balancer
      .lines()
      .filter(({ event, service }) => event === 'listener.up' && service === 'pxe');
    expect(ups.filter((line) => line.listener === placeOf(listener))).toHaveLength(1);
  });

  test('FTP sessions go on through all of it, in the middle of transfers too', async () => {
    const [one, two] = [await startFtpServer({ name: 'one' }), await startFtpServer({ name: 'two' })];
    const site = await ConfiguredBalancer.start(ftp(one), ['--workers=2']);
    const listener = await site.listener('ftp');
    const [idle, sender, reader] = [
      await loginTo(listener),
      await loginTo(listener),
      await loginTo(listener),
    ];
    const half = content.length / 2;
    const at = await sender.epsv();
    sender.send('STOR copy');
    const data = await sender.connect(at);
    data.socket.write(content.subarray(0, half));
    const later = await reader.epsv();
    await site.reload(ftp(two, { listeners: [`${ownLoopback()}:0`], more: 'ftp: { deny: DELE }' }));
    await site.reload(fileOf({ tftp: { backends: [two] } }));
    await expect(connectTo(listener)).rejects.toThrow();
    data.socket.write(content.subarray(half));
    data.socket.end();
    expect([await sender.line(), await sender.line()]).toEqual(['150 go on', '226 done']);
    expect(isContent(one.server.files.get('copy'))).toBe(true);
    reader.send('RETR file');
    const { ear } = await reader.connect(later);
    expect([await reader.line(), await reader.line()]).toEqual(['150 here it comes', '226 done']);
    await reader.until('the whole file', () => isContent(Buffer.concat(ear.chunks)));
    expect(await idle.ask('NOOP')).toBe('200 fine');
    expect(await idle.ask('QUIT')).toBe('221 bye');
    expect([one.server.sessions.length, two.server.sessions.length]).toEqual([3, 0]);
  });
});

describe('a reload', () => {
  test('moves a listener, and sends new sessions to other backends', async () => {
    const [one, two] = servers(2) as [EmbeddedServer, EmbeddedServer];
    const site = await ConfiguredBalancer.start(pxe([one]));
    const before = await site.listener('pxe');
    expect(await isFetched(before)).toBe(true);
    await site.reload(pxe([two], { listeners: [`${ownLoopback()}:0`] }));
    const after = await site.listener('pxe');
    expect(after.address).not.toBe(before.address);
    expect(await isFetched(after)).toBe(true);
    expect([one.requests.length, two.requests.length]).toEqual([1, 1]);
    const downs = site.balancer.lines().filter(({ event }) => event === 'listener.down');
    expect(downs.map(({ listener }) => listener)).toEqual([placeOf(before)]);
  });

  test('counts weights and rules at once', async () => {
    const [one, two] = servers(2) as [EmbeddedServer, EmbeddedServer];
    const site = await ConfiguredBalancer.start(pxe([one, two]), ['--workers=1']);
    const listener = await site.listener('pxe');
    await site.reload(pxe([`${placeOf(one)},weight=3`, two]));
    for (let n = 0; n < 8; n += 1) await fetchFile(listener, 'image');
    expect([one.requests.length, two.requests.length]).toEqual([6, 2]);
    await site.reload(pxe([one], { more: 'read-only: true, limits: { max-sessions-per-client: 1 }' }));
    // One worker, since each has the limit for itself.
    const held = await HeldDownload.begin(listener, 'image');
    await expect(fetchFile(listener, 'image')).rejects.toThrow('ERROR 0');
    await site.balancer.said({ event: 'session.reject', reason: 'max-sessions-per-client' });
    expect(await held.finish()).toEqual(image);
  });

  test('takes a service to another mode of TIDs', async () => {
    const [server] = servers(1) as [EmbeddedServer];
    const site = await ConfiguredBalancer.start(pxe([server]), ['--workers=2']);
    const listener = await site.listener('pxe');
    const held = await HeldDownload.begin(listener, 'image');
    await site.reload(pxe([server], { more: 'tftp: { single-port: true }' }));
    expect((await fetchFile(await site.listener('pxe'), 'image')).peer.port).toBe(listener.port);
    expect(await held.finish()).toEqual(image);
    await site.reload(pxe([server]));
    expect((await fetchFile(await site.listener('pxe'), 'image')).peer.port).not.toBe(listener.port);
  });

  test('leaves the only port of a service to its sessions, until they are over', async () => {
    const [server] = servers(1) as [EmbeddedServer];
    const single = 'tftp: { single-port: true }';
    const site = await ConfiguredBalancer.start(pxe([server], { more: single }), ['--workers=2']);
    const before = await site.listener('pxe');
    const held = await Promise.all(Array.from({ length: 8 }, () => HeldDownload.begin(before, 'image')));
    await site.reload(pxe([server], { listeners: [`${ownLoopback()}:0`], more: single }));
    expect(await site.reload(fileOf({ other: { backends: [server] } }))).toMatchObject({
      event: 'config.applied',
    });
    for (const download of held) expect(await download.finish()).toEqual(image);
    const ended = await site.balancer.ended(held.length);
    expect(ended.map(({ result }) => result)).toEqual(held.map(() => 'ok'));
    expect(await isFetched(await site.listener('other'))).toBe(true);
  });

  test('brings the first service of a protocol', async () => {
    const [server] = servers(1) as [EmbeddedServer];
    const site = await ConfiguredBalancer.start(ftp(await startFtpServer()));
    const client = await loginTo(await site.listener('ftp'));
    await site.reload(pxe([server]));
    expect(await isFetched(await site.listener('pxe'))).toBe(true);
    expect(await client.ask('QUIT')).toBe('221 bye');
    expect((await site.balancer.status()).workers.every(({ state }) => state === 'serving')).toBe(true);
  });

  test('takes another user map, and none where the other one cannot be used', async () => {
    const place = await startFtpServer();
    const folder = temporaryFolder('maps');
    const using = (map: string): string =>
      ftp(place, { more: `ftp: { user-map: ${path.join(folder, map)} }` });
    writeFileSync(path.join(folder, 'one'), `alice: ${placeOf(place)}\n`);
    writeFileSync(path.join(folder, 'two'), `bob: ${placeOf(place)}\n`);
    const site = await ConfiguredBalancer.start(using('one'));
    const listener = await site.listener('ftp');
    const answers = async (): Promise<string[]> => {
      const [alice, bob] = await Promise.all([connectTo(listener), connectTo(listener)]);
      await Promise.all([alice.line(), bob.line()]);
      const all = await Promise.all([alice.ask('USER alice'), bob.ask('USER bob')]);
      return all.map((answer) => answer.slice(0, 3));
    };
    expect(await answers()).toEqual(['331', '530']);
    expect(await site.reload(using('none'))).toMatchObject({
      event: 'config.refused',
      faults: [expect.stringContaining('cannot use the user map')],
    });
    expect(await answers()).toEqual(['331', '530']);
    expect(await site.reload(using('two'))).toMatchObject({ event: 'config.applied' });
    expect(await answers()).toEqual(['530', '331']);
    // The old one is not looked at any longer, the new one is.
    writeFileSync(path.join(folder, 'two'), `carol: ${placeOf(place)}\n`);
    await site.balancer.said({ event: 'ftp.users.loaded', path: path.join(folder, 'two') });
    expect(await answers()).toEqual(['530', '530']);
  });

  test('of a bad file says all that is wrong, and changes nothing', async () => {
    const [server] = servers(1) as [EmbeddedServer];
    const site = await ConfiguredBalancer.start(pxe([server]));
    const before = await site.balancer.status();
    const refused = await site.reload(
      'services:\n  pxe: { protocol: tftp, listeners: [x], backend: [y] }\nworkers: 0\n',
    );
    expect(refused).toMatchObject({ level: 'error', event: 'config.refused' });
    expect((refused['faults'] as string[]).map((fault) => fault.replace(/^.*\/lab/, 'lab'))).toEqual([
      expect.stringContaining('lab.yaml:2:3: services.pxe.backends: required'),
      expect.stringContaining('lab.yaml:2:38: services.pxe.listeners[0] "x": expected ADDR'),
      expect.stringContaining('lab.yaml:2:42: services.pxe.backend: unknown key; did you mean backends?'),
      expect.stringContaining('lab.yaml:3:1: workers "0": expected auto'),
    ]);
    expect((await site.balancer.status()).services).toEqual(before.services);
    expect(await site.gauge('tftplb_config_last_reload_successful')).toBe(0);
    expect(await isFetched(await site.listener('pxe'))).toBe(true);
    await site.reload(pxe([server]));
    expect(await site.gauge('tftplb_config_last_reload_successful')).toBe(1);
  });

  test('that wants a listener of somebody else changes nothing', async () => {
    const [server, somebody] = servers(2) as [EmbeddedServer, EmbeddedServer];
    const site = await ConfiguredBalancer.start(pxe([server]), ['--workers=2']);
    const taken = fileOf({
      pxe: { backends: [somebody] },
      other: { backends: [server], listeners: [placeOf(somebody)] },
    });
    expect(await site.reload(taken)).toMatchObject({
      event: 'config.refused',
      faults: [expect.stringContaining(`port ${somebody.port}: another socket holds this address and port`)],
    });
    expect(await isFetched(await site.listener('pxe'))).toBe(true);
    expect([server.requests.length, somebody.requests.length]).toEqual([1, 0]);
  });

  test('that wants of an engine what it cannot do changes nothing', async () => {
    const [server] = servers(1) as [EmbeddedServer];
    const site = await ConfiguredBalancer.start(pxe([server]), ['--engine=portable']);
    expect(await site.reload(pxe([server], { more: 'tftp: { transparent: true }' }))).toMatchObject({
      event: 'config.refused',
      faults: [expect.stringContaining('needs the linux engine')],
    });
    expect(await isFetched(await site.listener('pxe'))).toBe(true);
  });

  test('without a file finds what it was started with', async () => {
    const [server] = servers(1) as [EmbeddedServer];
    const balancer = await startBalancer([server]);
    balancer.program.signal('SIGHUP');
    expect(await balancer.said({ event: 'config.applied' })).toMatchObject({ changes: [] });
    expect(await isFetched(balancer.listener)).toBe(true);
  });
});
