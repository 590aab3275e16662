/** A worker as it is, but for the faults that a test brings about: see faulty-threads.ts. */
import { getEnvironmentData, workerData } from 'node:worker_threads';
import type { WorkerBoot } from '../../src/runtime/messages.ts';
import { faultKinds } from './faulty-threads.ts';

const { worker }: WorkerBoot = workerData;
// What it is in earnest shows in what it is given.
await import(
  'ledger' in workerData ? '../../src/runtime/linux-worker.ts' : '../../src/runtime/portable-worker.ts'
);

const faults = new Int32Array(getEnvironmentData('faults') as unknown as SharedArrayBuffer);

function look(): void {
  const fault = faultKinds[Atomics.exchange(faults, worker, 0)];
  if (fault === 'throw') throw new TypeError('brought about by a test');
  if (fault === 'hang') for (;;);
}

setInterval(look, 5).unref();
