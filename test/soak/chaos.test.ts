/** A whole balancer between clients that never pause and servers and operators that never rest. */
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { Noise } from '../fuzz/noise.ts';
import type { Balancer, Line } from '../helpers/balancer.ts';
import { cleanUp } from '../helpers/clean-up.ts';
import { ConfiguredBalancer } from '../helpers/configured.ts';
import { temporaryFolder } from '../helpers/folders.ts';
import { lacks } from '../helpers/peers.ts';
import { isLinuxSkipped } from '../helpers/tid-nets.ts';
import { firstSeed, shareOf, timeoutOf } from './budget.ts';
import { ChaosConfig, type EngineName } from './chaos-config.ts';
import { Chaos } from './chaos-faults.ts';
import { levelsOf, seriesOf, settled, sunkTo } from './chaos-levels.ts';
import { ChaosClients, tally } from './chaos-clients.ts';
import { startServers } from './chaos-servers.ts';
import { Verdict } from './chaos-verdict.ts';

interface Run {
  readonly engine: EngineName;
  readonly part: number;
  /** Sessions of each client after which the balancer holds what it keeps. */
  readonly warmUp: Readonly<Record<'tftp' | 'ftp', number>>;
  readonly isSkipped: boolean;
}

const runs: readonly Run[] = [
  // Sockets are shared once there are 64, for each of three servers.
  { engine: 'linux', part: 0.1, warmUp: { tftp: 200, ftp: 5 }, isSkipped: isLinuxSkipped },
  { engine: 'portable', part: 0.05, warmUp: { tftp: 5, ftp: 5 }, isSkipped: false },
];
/** Milliseconds for which ended transfers listen for late packets, and hold sockets. */
const dallying = 11_000;
/** Milliseconds: in less, too little happens. */
const shortest = 8_000;
/** Milliseconds: what must settle before and behind the storm takes a minute each at most. */
const endPatience = 180_000;
const lacksServers = lacks('tftpd-hpa', 'atftpd', 'vsftpd', 'pyftpdlib');

afterEach(cleanUp);

describe.each(runs)('a balancer of the $engine engine', ({ engine, part, warmUp, isSkipped }) => {
  it.skipIf(isSkipped || lacksServers)(
    'explains every failure in its log, calls nothing good that is not, and has nothing left at the end',
    async () => {
      const seed = firstSeed();
      console.log(`TFTPLB_SOAK_SEED=${seed}`);
      const servers = await startServers();
      const config = new ChaosConfig(engine, path.join(temporaryFolder('admin'), 'admin.sock'), servers);
      const site = await ConfiguredBalancer.start(config.usual());
      const { balancer } = site;
      await settled(balancer);
      const clients = await ChaosClients.of(site, servers, seed);
      await clients.attempt(warmUp);
      await settled(balancer);
      await sleep(dallying);
      const before = { levels: await levelsOf(balancer), series: await seriesOf(balancer) };

      clients.start(seed);
      const chaos = new Chaos({ site, servers, config, noise: new Noise(seed) });
      await chaos.rage(Math.max(shortest, shareOf(part)));
      await clients.stop();
      console.log(chaos.counts, tally(clients.attempts));

      await settled(balancer);
      const outcomes = await clients.attempt({ tftp: 1, ftp: 1 });
      expect(outcomes.filter(({ kind }) => kind !== 'done')).toEqual([]);
      await settled(balancer);
      await sunkTo(balancer, before.levels);
      expect(await seriesOf(balancer)).toEqual(before.series);
      await expectNothingLost(balancer);
      balancer.program.signal('SIGTERM');
      expect(await balancer.program.ended).toMatchObject({ code: 0, signal: undefined });
      const lines = balancer.lines();
      expect(lines.filter(isFault)).toEqual([]);
      const verdict = new Verdict(lines, [...servers.tftp, ...servers.ftp]);
      expect(verdict.faults(clients.attempts).join('\n')).toBe('');
      for (const service of ['boot', 'nat', 'files']) {
        for (const op of ['read', 'write'])
          expect(tally(clients.attempts)).toHaveProperty([`${service} ${op} done`]);
      }
    },
    timeoutOf(part) + endPatience,
  );
});

/** Whatever has begun has been reported at its end, and no thread has died. */
async function expectNothingLost(balancer: Balancer): Promise<void> {
  const { workers } = await balancer.status();
  expect(workers.filter(({ state, restarts }) => state !== 'serving' || restarts > 0)).toEqual([]);
  // What was counted of a backend goes with it, so that the sum over all backends is not that of all sessions.
  const ended = { sessions: 'session_duration_seconds_count', ftp_sessions: 'ftp_sessions_ended_total' };
  for (const [sessions, metric] of Object.entries(ended)) {
    const started = await balancer.metric(`tftplb_${sessions}_started_total`);
    expect(await balancer.metric(`tftplb_${metric}`), metric).toBe(started);
  }
  for (const gauge of ['sessions_active', 'ftp_passive_ports_used', 'sessions_lost_total']) {
    expect(await balancer.metric(`tftplb_${gauge}`), gauge).toBe(0);
  }
}

/** What it has to blame itself for. */
function isFault({ level, event, end }: Line): boolean {
  return ((level === 'error' || level === 'fatal') && event !== 'config.refused') || end === 'fault';
}
