import type { Eligible, Pool } from '../../src/balance/pool.ts';
import { Scoreboard } from '../../src/balance/scoreboard.ts';

/** A pool with one backend per weight; scoreboard indexes count up from `firstIndex`. */
export function poolOf(weights: readonly number[], firstIndex = 0): Pool {
  return {
    backends: weights.map((weight, at) => ({
      index: firstIndex + at,
      name: `b${firstIndex + at}`,
      address: `192.0.2.${firstIndex + at}`,
      port: 69,
      weight,
    })),
  };
}

export function eligibleOf(indexes: readonly number[], retry = false): Eligible {
  return { indexes: Int32Array.from(indexes), count: indexes.length, retry };
}

export function smallScoreboard(backends = 16): Scoreboard {
  return Scoreboard.create({ services: 2, backends, workers: 2, reasons: 3 });
}
