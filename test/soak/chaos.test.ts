import { mkdtempSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { Noise } from '../fuzz/noise.ts';
import { cleanUp } from '../helpers/clean-up.ts';
import { ConfiguredBalancer } from '../helpers/configured.ts';
import { temporaryFolder } from '../helpers/folders.ts';
import { lacks } from '../helpers/peers.ts';
import { isLinuxSkipped } from '../helpers/tid-nets.ts';
import { firstSeed, shareOf, timeoutOf } from './budget.ts';
import { Load } from './chaos-attempts.ts';
import { ChaosConfig } from './chaos-config.ts';
import { Chaos } from './chaos-faults.ts';
import { ftpClient } from './chaos-ftp-clients.ts';
import { levelsOf } from './chaos-levels.ts';
import { startServers } from './chaos-servers.ts';
import { tftpClient } from './chaos-tftp-clients.ts';

afterEach(cleanUp);

describe('x', () => {
  it('y', async () => {
    const seed = firstSeed();
    console.log('seed', seed);
    const servers = await startServers();
    const config = new ChaosConfig('linux', path.join(temporaryFolder('admin'), 'admin.sock'), servers);
    const site = await ConfiguredBalancer.start(config.usual());
    await sleep(2000);
    console.log(await levelsOf(site.balancer));
    const load = async (service: string) =>
      new Load({ service, listener: await site.listener(service), servers: service === 'files' ? servers.ftp : servers.tftp, sizes: [0, 1, 511, 512, 10_000, 60_000, 200_000] });
    const loads = [await load('boot'), await load('nat'), await load('files')];
    let n = 0;
    const clients = loads.flatMap((load, at) => Array.from({ length: 4 }, () => (at === 2 ? ftpClient : tftpClient)(load, new Noise(seed + ++n))));
    const chaos = new Chaos({ site, servers, config, noise: new Noise(seed) });
    await sleep(2000);
    console.log(await levelsOf(site.balancer));
    await chaos.rage(15_000);
    for (const load of loads) load.isOver = true;
    await Promise.all(clients);
    console.log(chaos.counts);
    for (const load of loads) {
      const tally: Record<string, number> = {};
      for (const { outcome, op } of load.attempts) {
        const word = `${op} ${outcome.kind} ${outcome.kind === 'failed' ? String(outcome.error) : ''}`;
        tally[word] = (tally[word] ?? 0) + 1;
      }
      console.log(tally);
    }
    for (let i = 0; i < 6; i++) {
      await sleep(4000);
      const l = await levelsOf(site.balancer);
      console.log(l.descriptors, l.series.length, l.resources, (await site.balancer.status()).services.map((s) => [s.sessions, s.backends.map((b) => b.state)]));
    }
    site.balancer.program.signal('SIGTERM');
    console.log((await site.balancer.program.ended).code);
    const tally: Record<string, number> = {};
    for (const { event, result, end, level } of site.balancer.lines()) {
      const word = `${level} ${event} ${result ?? end ?? ''}`;
      tally[word] = (tally[word] ?? 0) + 1;
    }
    console.log(tally);
  }, 120_000);
});
