/** Upgrades in place, one after the other, below thousands of transfers and hundreds of sessions. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, expect, test } from 'vitest';
import { loginTo, startFtpServer } from '../integration/ftp.ts';
import { startEmbedded } from '../helpers/embedded.ts';
import { noise, removeFolders } from '../helpers/folders.ts';
import { isContent } from '../helpers/ftp-transfers.ts';
import { stopAll } from '../helpers/processes.ts';
import { ownLoopback } from '../helpers/sockets.ts';
import { Upgrades } from '../helpers/upgrades.ts';
import { downloadSlowly, type Pace } from './slow-download.ts';

const transfers = 2_000;
const sessions = 200;
const upgradeCount = 10;
const image = noise(100_000);
/** All clients have one address. */
const unlimited = 'limits: { max-sessions: 5000, max-sessions-per-client: 0 }';

afterAll(async () => {
  await stopAll();
  removeFolders();
});

/** One session: a file, then pauses with a word between them for as long as it is to go slowly, then a file again. */
async function ftpSession(upgrades: Upgrades, pace: Pace): Promise<void> {
  const client = await loginTo(upgrades.at('ftp'));
  const fetch = async (): Promise<void> => {
    const { ear } = await client.connect(await client.epsv());
    client.send('RETR file');
    expect([await client.line(), await client.line()]).toEqual(['150 here it comes', '226 done']);
    await client.until('the whole file', () => isContent(Buffer.concat(ear.chunks)));
  };
  await fetch();
  while (pace.isSlow) {
    await sleep(pace.pause);
    expect(await client.ask('NOOP')).toBe('200 fine');
  }
  await fetch();
  expect(await client.ask('QUIT')).toBe('221 bye');
}

test(`none of ${transfers} transfers and ${sessions} sessions fails over ${upgradeCount} upgrades`, async () => {
  // One takes 256 at a time.
  const servers = Array.from({ length: 12 }, () =>
    startEmbedded({ image }, { address: ownLoopback(), port: 0 }),
  );
  const upgrades = await Upgrades.start({
    many: { backends: servers, more: unlimited },
    single: { backends: servers, more: `${unlimited}, tftp: { single-port: true }` },
    ftp: { protocol: 'ftp', backends: [await startFtpServer()], more: unlimited },
  });
  const pace: Pace = { pause: 2_000, isSlow: true };
  const failures: string[] = [];
  const note = (error: unknown): void => void failures.push(String(error));
  const running: Promise<void>[] = [];
  for (let round = 0; round < upgradeCount; round += 1) {
    for (let count = 0; count < transfers / upgradeCount; count += 1) {
      const service = count % 2 === 0 ? 'many' : 'single';
      running.push(downloadSlowly(upgrades.at(service), image, pace).catch(note));
      await sleep(2);
    }
    for (let count = 0; count < sessions / upgradeCount; count += 1) {
      running.push(ftpSession(upgrades, pace).catch(note));
    }
    const { balancer } = await upgrades.next();
    expect(await balancer.said({ event: 'takeover.taken' })).toHaveProperty('sessions');
  }
  pace.isSlow = false;
  await Promise.all(running);
  expect(failures).toEqual([]);
  for (const exit of await upgrades.ended()) expect(exit).toMatchObject({ code: 0, stderr: '' });
  await expect.poll(() => upgrades.results(), { timeout: 10_000 }).toEqual({ ok: transfers });
  const { services } = await upgrades.latest.balancer.status();
  expect(services.map((service) => service.sessions)).toEqual([0, 0, 0]);
});
