/** Threads that do nothing by themselves: a test speaks for them. */
import type { Service } from '../../src/engine/snapshot.ts';
import { createTidPorts } from '../../src/net/node-net.ts';
import type { WorkerBoot, WorkerCommand, WorkerMessage } from '../../src/runtime/messages.ts';
import type { Threads } from '../../src/runtime/node-threads.ts';
import type { WorkerHandle, WorkerHandlers, WorkerPlan } from '../../src/runtime/worker-handle.ts';

export class FakeThread implements WorkerHandle {
  readonly boot: WorkerBoot;
  readonly commands: WorkerCommand[] = [];
  /** Posts that the thread was not woken for. */
  unheard = 0;
  isTerminated = false;
  isGone = false;
  readonly #handlers: WorkerHandlers;

  constructor(boot: WorkerBoot, handlers: WorkerHandlers) {
    this.boot = boot;
    this.#handlers = handlers;
  }

  get heard(): string[] {
    return this.commands.map(({ kind }) => kind);
  }

  post(command: WorkerCommand): void {
    this.commands.push(structuredClone(command));
    this.unheard += 1;
  }

  wake(): void {
    this.unheard = 0;
  }

  terminate(): void {
    this.isTerminated = true;
  }

  say(message: WorkerMessage): void {
    this.#handlers.onMessage(structuredClone(message));
  }

  exit(error?: Error): void {
    this.isGone = true;
    this.#handlers.onExit(error);
  }
}

export class FakeThreads implements Threads {
  readonly engine = { name: 'portable', reason: 'a test speaks for it' } as const;
  readonly plans: readonly WorkerPlan[];
  readonly tidPorts: Threads['tidPorts'] = createTidPorts(() => 0);
  /** All that were made, the oldest first. */
  readonly made: FakeThread[] = [];
  steer?: NonNullable<Threads['steer']>;

  constructor(count: number, protocols: readonly Service['kind'][] = ['tftp', 'ftp']) {
    this.plans = Array.from({ length: count }, () => ({ kind: 'portable', protocols }) as const);
  }

  /** The latest thread of a worker. */
  of(worker: number): FakeThread {
    const thread = this.made.findLast(({ boot }) => boot.worker === worker);
    if (!thread) throw new Error(`worker ${worker} has no thread`);
    return thread;
  }

  readonly spawn: Threads['spawn'] = (_plan, boot, handlers) => {
    const thread = new FakeThread(boot, handlers);
    this.made.push(thread);
    return thread;
  };
}
