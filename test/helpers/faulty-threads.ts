/** Threads of workers that die, or stand still, when a test wants it. */
import { setEnvironmentData } from 'node:worker_threads';
import type { TidPorts } from '../../src/net/node-net.ts';
import type { EngineChoice } from '../../src/runtime/engine-choice.ts';
import { nodeThreads, type Threads } from '../../src/runtime/node-threads.ts';

const portable = { name: 'portable', reason: 'a test wants it', libc: undefined } as const;
const fixed = { protocols: ['tftp', 'ftp'], busyPoll: 0 } as const;

/** What a worker finds in its cell of the memory that a test shares with it. */
export const faultKinds = ['none', 'throw', 'hang'] as const;

/** Threads that cannot even be loaded. */
export function brokenThreads(workers: number, tidPorts: TidPorts): Threads {
  const entry = new URL('data:text/javascript,throw new Error("no good")');
  return nodeThreads({ ...fixed, engine: portable, workers, tidPorts, entries: { portable: entry } });
}

export class FaultyThreads implements Threads {
  readonly engine: Threads['engine'];
  readonly plans: Threads['plans'];
  readonly tidPorts: TidPorts;
  readonly lender: Threads['lender'];
  /** While it is set, no thread that is made can be loaded. */
  areBroken = false;
  readonly #faults: Int32Array;
  readonly #faulty: Threads;
  readonly #broken: Threads;

  constructor(workers: number, tidPorts: TidPorts, engine: EngineChoice = portable) {
    const memory = new SharedArrayBuffer(2 * workers * Int32Array.BYTES_PER_ELEMENT);
    setEnvironmentData('faults', memory);
    this.#faults = new Int32Array(memory);
    const entry = new URL('faulty-worker.ts', import.meta.url);
    const entries = { portable: entry, linux: entry };
    this.#faulty = nodeThreads({ ...fixed, engine, workers, tidPorts, entries });
    this.#broken = brokenThreads(workers, tidPorts);
    this.engine = this.#faulty.engine;
    this.plans = this.#faulty.plans;
    this.lender = this.#faulty.lender;
    this.tidPorts = tidPorts;
  }

  readonly spawn: Threads['spawn'] = (plan, boot, handlers) =>
    (this.areBroken ? this.#broken : this.#faulty).spawn(plan, boot, handlers);

  /** Lets a worker have a fault, in the middle of whatever it does. */
  bringAbout(fault: (typeof faultKinds)[number], worker: number): void {
    Atomics.store(this.#faults, worker, faultKinds.indexOf(fault));
  }
}
