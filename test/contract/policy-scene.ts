/** What the parts of the policy contract measure with. */
import { getHeapStatistics } from 'node:v8';
import type { Eligible, PickRequest, Policy, Pool } from '../../src/balance/pool.ts';
import { createSeededRandom } from '../../src/net/memory-random.ts';
import { eligibleOf } from '../helpers/pools.ts';

/** Requests of different clients, for different files, by different users: the same ones in every run. */
export function requests(count: number): PickRequest[] {
  const random = createSeededRandom(42);
  const octet = (): number => Math.floor(random() * 256);
  return Array.from({ length: count }, (_, at) => ({
    client: `10.${octet()}.${octet()}.${octet()}`,
    file: `boot/${octet()}/pxelinux.cfg/01-${at}`,
    user: `user${at}`,
  }));
}

/** All backends of the pool. */
export function everyone({ backends }: Pool): Eligible {
  return eligibleOf(backends.map(({ index }) => index));
}

/** The indexes whose bit is set in `mask`, and at least one; there are `count` from `first` on. */
export function chosen(count: number, mask: number, first = 0): number[] {
  const indexes = Array.from({ length: count }, (_, at) => first + at);
  const some = indexes.filter((_, at) => (mask & (1 << at)) !== 0);
  return some.length > 0 ? some : indexes;
}

/** One pick for each request. */
export function picks(policy: Policy, eligible: Eligible, wanted: readonly PickRequest[]): number[] {
  return wanted.map((request) => policy.pick(eligible, request));
}

/** How often each index stands among those that were picked. */
export function countOf(picked: readonly number[]): Map<number, number> {
  const counts = new Map<number, number>();
  for (const index of picked) counts.set(index, (counts.get(index) ?? 0) + 1);
  return counts;
}

/**
 * Pearson's chi-square of counts against the shares that weights promise, over the value that chance exceeds once in a
 * thousand times (the approximation of Wilson and Hilferty). What is below 1 is in keeping with the weights.
 */
export function misfit(counts: ReadonlyMap<number, number>, { backends }: Pool): number {
  const sum = [...counts.values()].reduce((all, count) => all + count, 0);
  const total = backends.reduce((all, { weight }) => all + weight, 0);
  const statistic = backends.reduce((all, { index, weight }) => {
    const expected = (sum * weight) / total;
    return all + ((counts.get(index) ?? 0) - expected) ** 2 / expected;
  }, 0);
  const freedom = backends.length - 1;
  const part = 2 / (9 * freedom);
  return statistic / (freedom * (1 - part + 3.09 * Math.sqrt(part)) ** 3);
}

/** Heap that a call takes: the median over several rounds, since the collector may run in one of them. */
export function bytesPerCall(call: () => void): number {
  const calls = 10_000;
  const rounds = Array.from({ length: 15 }, () => {
    const before = getHeapStatistics().used_heap_size;
    for (let at = 0; at < calls; at += 1) call();
    return (getHeapStatistics().used_heap_size - before) / calls;
  });
  return rounds.sort((a, b) => a - b)[7] ?? Number.NaN;
}
