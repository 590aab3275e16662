/** What a balancer holds, as seen from outside, so that what it has left behind can be told. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Balancer } from '../helpers/balancer.ts';
import { until } from '../helpers/processes.ts';

/** Milliseconds: ended transfers listen for late packets for ten seconds, and backends come back slowly. */
const patience = 60_000;
/** Health checks and questions such as these come and go. */
const samples = 20;
const sampleInterval = 50;

export interface Levels {
  readonly descriptors: number;
  /** Of the control plane. */
  readonly timers: number;
}

/** Waits until every backend is whole and no session is left. */
export async function settled(balancer: Balancer): Promise<void> {
  await until(
    'everything is as it was',
    async () => {
      const { services } = await balancer.status();
      const isWhole = services.every(
        ({ sessions, backends }) =>
          sessions === 0 && backends.every(({ state, sessions }) => state === 'up' && sessions === 0),
      );
      return isWhole || undefined;
    },
    patience,
  );
}

/** The lowest of several looks. */
export async function levelsOf(balancer: Balancer): Promise<Levels> {
  const found: Levels[] = [];
  for (let count = 0; count < samples; count += 1) {
    const timers = await balancer.metric('nodejs_active_resources', { type: 'Timeout' });
    found.push({ descriptors: balancer.descriptors(), timers });
    await sleep(sampleInterval);
  }
  return {
    descriptors: Math.min(...found.map(({ descriptors }) => descriptors)),
    timers: Math.min(...found.map(({ timers }) => timers)),
  };
}

/** Waits until nothing is above those levels. */
export async function sunkTo(balancer: Balancer, before: Levels): Promise<void> {
  let last: Levels | undefined;
  const isSunk = async (): Promise<true | undefined> => {
    last = await levelsOf(balancer);
    return (last.descriptors <= before.descriptors && last.timers <= before.timers) || undefined;
  };
  await until(`not more than ${JSON.stringify(before)} is held`, isSunk, patience).catch((error: unknown) => {
    throw new Error(`${JSON.stringify(last)} is held`, { cause: error });
  });
}

/** Names and labels of all series of its own. */
export async function seriesOf(balancer: Balancer): Promise<string[]> {
  const metrics = await (await balancer.admin('/metrics')).text();
  const series = metrics.split('\n').filter((line) => line.startsWith('tftplb_'));
  return series.map((line) => line.slice(0, line.lastIndexOf(' '))).toSorted();
}
