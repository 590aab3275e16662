/** A balancer takes over from another one while transfers and sessions run: what their clients see of it. */
import { afterAll, describe, expect, test } from 'vitest';
import type { Endpoint } from '../../src/net/net.ts';
import { fetchFile, startEmbedded } from '../helpers/embedded.ts';
import { noise, removeFolders } from '../helpers/folders.ts';
import { content, isContent } from '../helpers/ftp-transfers.ts';
import { stopAll } from '../helpers/processes.ts';
import { HeldDownload } from '../helpers/udp-peer.ts';
import { type Site, Upgrades } from '../helpers/upgrades.ts';
import { loginTo, type RunningServer, startFtpServer } from './ftp.ts';

const image = noise(100_000);

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
      repeat(4, () => download(upgrades.at('many'))),
      repeat(4, () => download(upgrades.at('single'))),
      repeat(2, () => ftpSession(upgrades.at('ftp'))),
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
    for (const transfer of held) expect((await transfer.finish()).equals(image)).toBe(true);
    data.socket.write(content.subarray(1_000));
    data.socket.end();
    expect([await sender.line(), await sender.line()]).toEqual(['150 go on', '226 done']);
    expect(isContent(ftp.server.files.get('copy'))).toBe(true);
    expect(await sender.ask('QUIT')).toBe('221 bye');
    const [many = 0, single = 0, sessions = 0] = await Promise.all(load.map(({ end }) => end()));
    expect(Math.min(many, single, sessions)).toBeGreaterThan(0);
    for (const exit of await upgrades.ended()) expect(exit).toMatchObject({ code: 0, stderr: '' });
    await expect.poll(() => upgrades.results()).toEqual({ ok: many + single + held.length });
    const { services } = await upgrades.latest.balancer.status();
    expect(services.map((service) => service.sessions)).toEqual([0, 0, 0]);
  }, 60_000);
});
