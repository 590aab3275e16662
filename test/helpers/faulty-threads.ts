/** Threads of workers that die, or stand still, when a test wants it. */
import { setEnvironmentData } from 'node:worker_threads';
import type { TidPorts } from '../../src/net/node-net.ts';
import { nodeThreads, type Threads } from '../../src/runtime/node-threads.ts';

const engine = { name: 'portable', reason: 'a test wants it', libc: undefined } as const;
const fixed = { protocols: ['tftp', 'ftp'], engine, busyPoll: 0 } as const;

/** What a worker finds in its cell of the memory that a test shares with it. */
export const faultKinds = ['none', 'throw', 'hang'] as const;

/** Threads that cannot even be loaded. */
export function brokenThreads(workers: number, tidPorts: TidPorts): Threads {
  const portable = new URL('data:text/javascript,throw new Error("no good")');
  return nodeThreads({ ...fixed, workers, tidPorts, entries: { portable } });
}

export class FaultyThreads implements Threads {
  readonly engine: Threads['engine'] = engine;
  readonly plans: Threads['plans'];
  readonly tidPorts: TidPorts;
  /** While it is set, no thread that is made can be loaded. */
  areBroken = false;
  readonly #faults: Int32Array;
  readonly #faulty: Threads;
  readonly #broken: Threads;

  constructor(workers: number, tidPorts: TidPorts) {
    const memory = new SharedArrayBuffer(workers * Int32Array.BYTES_PER_ELEMENT);
    setEnvironmentData('faults', memory);
    this.#faults = new Int32Array(memory);
    const portable = new URL('faulty-worker.ts', import.meta.url);
    this.#faulty = nodeThreads({ ...fixed, workers, tidPorts, entries: { portable } });
    this.#broken = brokenThreads(workers, tidPorts);
    this.plans = this.#faulty.plans;
    this.tidPorts = tidPorts;
  }

  readonly spawn: Threads['spawn'] = (plan, boot, handlers) =>
    (this.areBroken ? this.#broken : this.#faulty).spawn(plan, boot, handlers);

  /** Lets a worker have a fault, in the middle of whatever it does. */
  bringAbout(fault: (typeof faultKinds)[number], worker: number): void {
    Atomics.store(this.#faults, worker, faultKinds.indexOf(fault));
  }
}
