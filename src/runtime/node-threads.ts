import { availableParallelism } from 'node:os';
import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';

import type { TidPorts } from '../net/node-net.ts';
import type { SteerGroup } from './listener-group.ts';
import type { WorkerMessage } from './messages.ts';
import type { SpawnWorker, WorkerKind, WorkerPlan } from './worker-handle.ts';

/** The threads that a data plane is made of. */
export interface Threads {
  /** One for each worker, by its index. */
  readonly plans: readonly WorkerPlan[];
  /** What the TIDs of all workers take their ports from. */
  readonly tidPorts: TidPorts;
  readonly spawn: SpawnWorker;
  /** How clients are shared out among workers; the system does it by their address and port if left out. */
  readonly steer?: SteerGroup;
}

export interface NodeThreadsOptions {
  /** `auto` is one for each core that this process may use. */
  readonly workers: number | 'auto';
  readonly tidPorts: TidPorts;
  /** The modules that workers run, if not their own. */
  readonly entries?: Readonly<Record<WorkerKind, URL>>;
}

const entries: Readonly<Record<WorkerKind, URL>> = {
  // The sources have another extension than what is made of them, and tsc leaves such addresses as they are.
  portable: new URL(`portable-worker${extname(import.meta.url)}`, import.meta.url),
};

/** Threads of node:worker_threads. */
export function nodeThreads(options: NodeThreadsOptions): Threads {
  const count = options.workers === 'auto' ? availableParallelism() : options.workers;
  const plan: WorkerPlan = { kind: 'portable', protocols: ['tftp', 'ftp'] };
  return {
    plans: Array.from({ length: count }, () => plan),
    tidPorts: options.tidPorts,
    spawn: spawnFrom(options.entries ?? entries),
  };
}

function spawnFrom(modules: Readonly<Record<WorkerKind, URL>>): SpawnWorker {
  return ({ kind }, boot, handlers) => {
    const worker = new Worker(modules[kind], { workerData: boot, name: `worker-${boot.worker}` });
    let fault: Error | undefined;
    worker.on('message', (message: WorkerMessage) => handlers.onMessage(message));
    worker.on('error', (error) => {
      fault = error instanceof Error ? error : new Error(String(error));
    });
    worker.on('exit', (code) => {
      handlers.onExit(code === 0 ? undefined : (fault ?? new Error('the thread was ended')));
    });
    return {
      post: (command) => worker.postMessage(command, []),
      wake: () => undefined,
      terminate: () => {
        worker.unref();
        void worker.terminate();
      },
    };
  };
}
