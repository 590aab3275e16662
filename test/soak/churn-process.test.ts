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
/** Milliseconds: a slow machine has a thousand a second. */
const patience = transfers + 120_000;
const sampleInterval = 250;
const sessions = 32;
/** Ended sessions that listen for late packets are as many at most: few enough to be complete after a tenth. */
const maxSessions = 100;
const mebibyte = 2 ** 20;
/**
 * Bytes that the least of what a session consists of would leave behind if one of its objects stayed: several times as
 * much. Beside that, the heaps of three threads breathe by some MiB, whatever the number of transfers.
 */
const leak = 32;
const breath = 8 * mebibyte;

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
    `needs no more memory after ${transfers} one-block transfers than after a tenth of them`,
    async () => {
      const addresses = Array.from({ length: 4 }, ownLoopback);
      const order: ServerOrder = { addresses, port: 0 };
      const servers = bench('server.ts', JSON.stringify(order));
      const places = await servers.next<ServerPlaces>();
      const balancer = await QuietBalancer.start(
        places.map(({ ordinary }) => ordinary),
        [`--max-sessions=${maxSessions}`],
      );
      const load = bench('load.ts');
      const tell = (order: LoadOrder): Promise<LoadCount> => load.ask<LoadCount>(order);
      await tell({
        kind: 'start',
        load: { kind: 'transfers', sessions, blocks: 1 },
        ends: { targets: [balancer.listener], sources: { first: '127.64.0.1', count: 32 } },
      });
      const samples: Sample[] = [];
      for (let done = 0; done < transfers;) {
        await sleep(sampleInterval);
        const { units, errors } = await tell({ kind: 'count' });
        expect(errors).toBe(0);
        done = units;
        samples.push({ transfers: done, resident: balancer.resident });
      }
      await tell({ kind: 'stop' });

      if (process.env['DBG'])
        console.log(
          samples
            .map(({ transfers, resident }) => `${transfers}:${(resident / mebibyte).toFixed(0)}`)
            .join(' '),
        );
      const late = samples.filter((sample) => sample.transfers >= transfers / 10);
      expect(late.length, 'enough samples for a line').toBeGreaterThan(8);
      const grown = slopeOf(late) * transfers * 0.9;
      const [first, last] = [late[0]?.resident ?? 0, late.at(-1)?.resident ?? 0];
      console.log(
        `${transfers} transfers: ${(first / mebibyte).toFixed(1)} MiB after a tenth, ` +
          `${(last / mebibyte).toFixed(1)} at the end, ${slopeOf(late).toFixed(1)} bytes a transfer`,
      );
      expect(grown).toBeLessThan(breath + leak * transfers);
      await balancer.idle();
      const { workers } = await balancer.status();
      expect(workers.map(({ restarts }) => restarts)).toEqual(workers.map(() => 0));
    },
    patience,
  );
});
