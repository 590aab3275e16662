/** A million transfers through a whole balancer, by the generator and the servers of the bench. */
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import type { LoadCount, LoadOrder, ServerOrder, ServerPlaces } from '../../bench/messages.ts';
import { Child, endAll } from '../../bench/run/child.ts';
import { stopAll } from '../helpers/processes.ts';
import { ownLoopback } from '../helpers/sockets.ts';
import { isLinuxSkipped } from '../helpers/tid-nets.ts';
import { countOf } from './budget.ts';
import { QuietBalancer } from './quiet-balancer.ts';

const transfers = countOf(1_000_000);
/** Transfers after which most heaps, pools and compiled code have the size that they keep. */
const warmUp = Math.max(transfers / 10, 50_000);
/** Milliseconds: a slow machine has a thousand a second. */
const patience = warmUp + transfers + 120_000;
const sampleInterval = 250;
const sessions = 32;
/** Ended sessions that listen for late packets are as many at most: few enough to be complete early in the warm-up. */
const maxSessions = 100;
/** What the generator has left behind at its end is not waited for any longer. */
const idleTimeout = '10s';
const mebibyte = 2 ** 20;
/**
 * Bytes by which the heaps of three threads may still grow, whatever the number of transfers: V8 lets each of them grow a
 * few times by some MiB. Of a million transfers that is less than one object each, of a few ten thousand less than half
 * of a session, which has 1 KiB.
 */
const breath = 32 * mebibyte;

const bench = (name: string, ...args: readonly string[]): Child =>
  new Child(name, process.execPath, [path.join(import.meta.dirname, '../../bench', name), ...args], {
    core: undefined,
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });

interface Sample {
  readonly transfers: number;
  readonly resident: number;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Bytes by which memory grows with each transfer: the line with the least squares. */
function slopeOf(samples: readonly Sample[]): number {
  const x = mean(samples.map(({ transfers }) => transfers));
  const y = mean(samples.map(({ resident }) => resident));
  const product = mean(samples.map(({ transfers, resident }) => (transfers - x) * (resident - y)));
  return product / mean(samples.map(({ transfers }) => (transfers - x) ** 2));
}

afterEach(async () => {
  await endAll();
  await stopAll();
});

describe.skipIf(isLinuxSkipped)('a balancer of the Linux engine', () => {
  it(
    `needs no more memory for ${transfers} one-block transfers than for those before`,
    async () => {
      const addresses = Array.from({ length: 4 }, ownLoopback);
      const order: ServerOrder = { addresses, port: 0 };
      const servers = bench('server.ts', JSON.stringify(order));
      const places = await servers.next<ServerPlaces>();
      const balancer = await QuietBalancer.start(
        places.map(({ ordinary }) => ordinary),
        [`--max-sessions=${maxSessions}`, `--idle-timeout=${idleTimeout}`],
      );
      const load = bench('load.ts');
      const tell = (order: LoadOrder): Promise<LoadCount> => load.ask<LoadCount>(order);
      await tell({
        kind: 'start',
        load: { kind: 'transfers', sessions, blocks: 1 },
        ends: { targets: [balancer.listener], sources: { first: '127.64.0.1', count: 32 } },
      });
      const samples: Sample[] = [];
      for (let done = 0; done < warmUp + transfers;) {
        await sleep(sampleInterval);
        const { units, errors } = await tell({ kind: 'count' });
        expect(errors).toBe(0);
        done = units;
        samples.push({ transfers: done, resident: balancer.resident });
      }
      await tell({ kind: 'stop' });

      const late = samples.filter((sample) => sample.transfers >= warmUp);
      expect(late.length, 'enough samples for a line').toBeGreaterThan(8);
      const [first, last] = [late[0]?.resident ?? 0, late.at(-1)?.resident ?? 0];
      console.log(
        `${transfers} transfers: ${(first / mebibyte).toFixed(1)} MiB before them, ` +
          `${(last / mebibyte).toFixed(1)} at their end, ${slopeOf(late).toFixed(1)} bytes each`,
      );
      expect(slopeOf(late) * transfers).toBeLessThan(breath);
      await balancer.idle();
      const { workers } = await balancer.status();
      expect(workers.map(({ restarts }) => restarts)).toEqual(workers.map(() => 0));
    },
    patience,
  );
});
