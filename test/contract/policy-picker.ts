/** A worker thread that picks along with others, and tells whom it has picked. */
import { parentPort, workerData } from 'node:worker_threads';
import { policies } from '../../src/balance/policies.ts';
import type { Pool } from '../../src/balance/pool.ts';
import { Scoreboard } from '../../src/balance/scoreboard.ts';
import type { PolicyName } from '../../src/engine/snapshot.ts';
import { everyone, picks, requests } from './policy-scene.ts';

export interface PickerTask {
  readonly buffer: SharedArrayBuffer;
  readonly policy: PolicyName;
  readonly pool: Pool;
  readonly count: number;
  /** Two cells, zero: how many threads are ready, and whether all of them are. */
  readonly gate: Int32Array;
  readonly threads: number;
}

const { buffer, policy, pool, count, gate, threads } = workerData as PickerTask;
const instance = policies[policy](pool, Scoreboard.attach(buffer), 0);
const wanted = requests(count);
if (Atomics.add(gate, 0, 1) + 1 === threads) {
  Atomics.store(gate, 1, 1);
  Atomics.notify(gate, 1);
} else {
  Atomics.wait(gate, 1, 0, 20_000);
}
parentPort?.postMessage(picks(instance, everyone(pool), wanted), []);
