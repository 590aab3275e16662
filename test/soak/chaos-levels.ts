/** What a balancer holds, as seen from outside, so that it can be told whether something was left behind. */
import type { Balancer } from '../helpers/balancer.ts';
import { until } from '../helpers/processes.ts';

/** Milliseconds: ended transfers listen for late packets for ten seconds, and slow starts take their time. */
const patience = 60_000;

export interface Levels {
  readonly descriptors: number;
  /** Names and labels of all series of its own. */
  readonly series: readonly string[];
  /** What Node holds for it, by kind: timers, sockets, messages. */
  readonly resources: Readonly<Record<string, number>>;
}

/** Waits until every backend is whole and no session is left. */
export async function settled({ status }: Balancer): Promise<void> {
}

export async function levelsOf(balancer: Balancer): Promise<Levels> {
  const lines = (await (await balancer.admin('/metrics')).text()).split('\n');
  const found = lines.flatMap((line) => {
    const at = line.lastIndexOf(' ');
    return line === '' || line.startsWith('#') ? [] : [[line.slice(0, at), Number(line.slice(at + 1))] as const];
  });
  return {
    descriptors: balancer.descriptors(),
    series: found.map(([series]) => series).filter((series) => series.startsWith('tftplb_')).toSorted(),
    resources: Object.fromEntries(found.filter(([series]) => series.startsWith('nodejs_active'))),
  };
}
