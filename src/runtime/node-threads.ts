import { availableParallelism } from 'node:os';
import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';

import type { ListenerSpec, Service } from '../engine/snapshot.ts';
import type { Libc } from '../linux/libc.ts';
import type { LentSocket } from '../linux/net/linux-net.ts';
import { steerBySource } from '../linux/source-steering.ts';
import { SyscallError } from '../linux/syscall-error.ts';
import type { TidPorts } from '../net/node-net.ts';
import type { EngineChoice, EngineNotice } from './engine-choice.ts';
import { asOneLender, InheritedFtp, type InheritedGroup, InheritedListeners } from './inherited-listeners.ts';
import { LinuxThreads } from './linux-threads.ts';
import type { SteerGroup } from './listener-group.ts';
import type { WorkerBoot, WorkerMessage } from './messages.ts';
import type { SpawnWorker, WorkerHandle, WorkerHandlers, WorkerKind, WorkerPlan } from './worker-handle.ts';

/** The threads that a data plane is made of. */
export interface Threads {
  /** What serves TFTP in them. */
  readonly engine: EngineNotice;
  /** One for each worker, by its index. */
  readonly plans: readonly WorkerPlan[];
  /** What the TIDs of all workers take their ports from. */
  readonly tidPorts: TidPorts;
  readonly spawn: SpawnWorker;
  /** Opens listening sockets that outlive the workers; left out where workers open their own. */
  readonly lender?: SocketLender | undefined;
  /** What a takeover needs, where there can be one. */
  readonly handover?: ThreadsHandover | undefined;
  /** How clients are shared out among workers; the system does it by their address and port if left out. */
  readonly steer?: SteerGroup | undefined;
}

/** Has the listening sockets that workers use, from before their first moment to behind their last. */
export interface SocketLender {
  /** Opens a listener, and tells where it is. Undefined if workers open theirs for the protocol. Throws NetError. */
  claim(kind: Service['kind'], listener: ListenerSpec): ListenerSpec | undefined;
  /** Closes one, as `claim` has told it; workers work on duplicates. */
  release(kind: Service['kind'], listener: ListenerSpec): void;
  /** What a worker may use now. */
  lentTo(worker: number): readonly LentSocket[];
  close(): void;
}

/** What a takeover needs to know of threads, or to tell them, at either end of it. */
export interface ThreadsHandover {
  readonly libc: Libc;
  /** How many there are for each protocol. */
  readonly count: number;
  /** TFTP's listening sockets. */
  readonly groups: () => readonly InheritedGroup[];
  /** Listeners of another process that nobody here has claimed. Undefined if there is no such process. */
  readonly untaken: () => readonly string[] | undefined;
  /** The other process has gone: threads that are made from now on serve at once. */
  readonly serve: () => void;
}

/** What another process has handed over. */
export interface Inheritance {
  /** As ThreadsHandover has it. */
  readonly count: number;
  readonly groups: readonly InheritedGroup[];
}

export interface NodeThreadsOptions {
  /** `auto` is one for each core that this process may use. */
  readonly workers: number | 'auto';
  /** What there are services of. */
  readonly protocols: readonly Service['kind'][];
  readonly tidPorts: TidPorts;
  /** What TFTP is served with. */
  readonly engine: EngineChoice;
  /** Microseconds for which the Linux engine polls before it blocks, see LoopOptions. */
  readonly busyPoll: number;
  /** Listeners are taken from here, and their number of threads, too. */
  readonly inheritance?: Inheritance | undefined;
  /** The modules that workers run, if not their own. */
  readonly entries?: Partial<Record<WorkerKind, URL>>;
}

/**
 * The young generation of a worker's heap. Left to itself, V8 lets it grow to more than 100 MB in each thread that makes
 * much garbage, and hardly gives that back; measured, the larger one saves no time.
 */
const resourceLimits = { maxYoungGenerationSizeMb: 12 } as const;

// The sources have another extension than what is made of them, and tsc leaves such addresses as they are.
const entryOf = (name: string): URL => new URL(`${name}${extname(import.meta.url)}`, import.meta.url);
const entries: Readonly<Record<WorkerKind, URL>> = {
  portable: entryOf('portable-worker'),
  linux: entryOf('linux-worker'),
};

/** Threads of node:worker_threads: with the Linux engine as many for TFTP as for FTP, else the same for both. */
export function nodeThreads(options: NodeThreadsOptions): Threads {
  const { workers, protocols, tidPorts, engine, busyPoll, inheritance } = options;
  const count = inheritance?.count ?? (workers === 'auto' ? availableParallelism() : workers);
  const inherited = inheritance && new InheritedListeners(inheritance.groups);
  const modules = { ...entries, ...options.entries };
  const steer = engine.libc && steeringWith(engine.libc);
  const spawn: SpawnWorker = (plan, boot, handlers) => start(modules[plan.kind], boot, handlers);
  if (engine.name === 'portable') {
    return { engine, steer, plans: repeat({ kind: 'portable', protocols }, count), tidPorts, spawn };
  }
  const { libc } = engine;
  const others = protocols.filter((protocol) => protocol !== 'tftp');
  const first = protocols.includes('tftp') ? count : 0;
  const fast = new LinuxThreads({ libc, busyPoll, inherited }, first, spawn);
  const slow = inherited && new InheritedFtp(libc, inherited, { first, count });
  return {
    engine,
    steer,
    plans: [
      ...repeat({ kind: 'linux', protocols: ['tftp'] }, first),
      ...repeat({ kind: 'portable', protocols: others }, others.length > 0 ? count : 0),
    ],
    tidPorts,
    spawn: (plan, ...parts) => (plan.kind === 'linux' ? fast.spawn(plan, ...parts) : spawn(plan, ...parts)),
    lender: slow ? asOneLender([fast, slow]) : fast,
    handover: {
      libc,
      count,
      groups: () => fast.groups,
      untaken: () => inherited?.untaken,
      serve: () => fast.serve(),
    },
  };
}

/** By their addresses, so that one worker has all that it may want to know of a client. */
function steeringWith(libc: Libc): SteerGroup {
  return (descriptor, { size }) => {
    try {
      steerBySource(libc, descriptor, size);
    } catch (error) {
      // A sandbox may forbid it: the system goes on sharing clients out.
      if (!(error instanceof SyscallError)) throw error;
    }
  };
}

function repeat(plan: WorkerPlan, count: number): WorkerPlan[] {
  return Array.from({ length: count }, () => plan);
}

function start(module: URL, boot: WorkerBoot, handlers: WorkerHandlers): WorkerHandle {
  const worker = new Worker(module, { workerData: boot, name: `worker-${boot.worker}`, resourceLimits });
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
}
