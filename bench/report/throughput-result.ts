import type { PathName } from '../paths/path.ts';
import type { Latency, Measured, ThroughputLoad, ThroughputRound } from '../questions/throughput.ts';
import { median } from './statistics.ts';
import { summarize, type Summary } from './summary.ts';

/** What one load reached on one path. */
export interface ThroughputResult<Name extends string = PathName> extends Measured<Name> {
  /** The load's, as in suites/tftp-loads.ts. */
  readonly name: string;
  readonly summary: Summary;
  /** Medians over the rounds; undefined of blocks. */
  readonly latency: Latency | undefined;
}

/** `cores` is how many the bench has of its own. */
export function resultOf<Name extends string>(
  name: string,
  measured: Measured<Name>,
  cores: number,
): ThroughputResult<Name> {
  const { rounds } = measured;
  return { ...measured, name, summary: summarize(rounds, cores), latency: medianLatency(rounds) };
}

export function resultFor(
  results: readonly ThroughputResult[],
  name: string,
  path: PathName,
): ThroughputResult | undefined {
  return results.find((result) => result.name === name && result.path === path);
}

/**
 * CPU microseconds of the relay for each block or transfer. What the kernel does for whoever sends is counted as the
 * sender's; of its own balancer that is all, so that is told by what generator and servers use more than without it.
 * Undefined where there is no relay, or nothing to tell it by.
 */
export function relayCost(
  { name, path, summary }: ThroughputResult,
  all: readonly ThroughputResult[],
): number | undefined {
  if (path === 'direct') return undefined;
  if (path !== 'kernel-nat') return summary.cost.relay;
  const direct = resultFor(all, name, 'direct')?.summary;
  return direct === undefined ? undefined : Math.max(0, ends(summary) - ends(direct));
}

function ends({ cost }: Summary): number {
  return cost.generator + cost.server;
}

export function describeLoad(load: ThroughputLoad): string {
  const sessions = load.sessions === 1 ? '1 session' : `${load.sessions} sessions`;
  if (load.kind === 'transfers') {
    return `${sessions}, files of ${load.blocks === 1 ? 'one block' : `${load.blocks} blocks`}`;
  }
  return load.windowsize === 1 ? `${sessions}, lock-step` : `${sessions}, window ${load.windowsize}`;
}

function medianLatency(rounds: readonly ThroughputRound[]): Latency | undefined {
  const latencies = rounds.map(({ latency }) => latency).filter((latency) => latency !== undefined);
  if (latencies.length === 0) return undefined;
  return {
    p50: median(latencies.map(({ p50 }) => p50)),
    p99: median(latencies.map(({ p99 }) => p99)),
  };
}
