/** Processes that the bench starts, each ended by its own id whatever happens. */
import { type ChildProcess, spawn, spawnSync, type StdioOptions } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { constants, setPriority } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';

/** Milliseconds that a process gets to end or to answer in. */
const patience = 30_000;

const running = new Set<Child>();
process.once('exit', () => {
  for (const child of running) child.kill();
});

/** Ends all that still runs. */
export async function endAll(): Promise<void> {
  await Promise.all([...running].map((child) => child.stop()));
}

export const hasTaskset: boolean = spawnSync('taskset', ['--version']).status === 0;

type Command = readonly [program: string, ...args: string[]];

/** A command that runs `command` in that network namespace; as it is where there is none. */
export function inNamespace(namespace: string | undefined, command: Command): Command {
  return namespace === undefined ? command : ['ip', 'netns', 'exec', namespace, ...command];
}

export interface ChildOptions {
  /** The only core that it may run on, or the only cores. */
  readonly core: number | readonly number[] | undefined;
  /** The network namespace that it runs in; none is that of the bench. */
  readonly namespace?: string | undefined;
  /** Whether it runs before all other programs of the machine, for which the bench has to be root's. */
  readonly isUrgent?: boolean;
  readonly stdio: StdioOptions;
  readonly env?: Readonly<Record<string, string>>;
}

/** Throws where this process may not. */
function makeUrgent(pid: number): void {
  setPriority(pid, constants.priority.PRIORITY_HIGHEST);
  const group = `/proc/${pid}/autogroup`;
  if (existsSync(group)) writeFileSync(group, String(constants.priority.PRIORITY_HIGHEST));
}

export class Child {
  readonly name: string;
  readonly pid: number;
  readonly #process: ChildProcess;
  readonly #ended: Promise<void>;
  #hasEnded = false;

  /** Throws if the program cannot be started. */
  constructor(name: string, program: string, args: readonly string[], options: ChildOptions) {
    this.name = name;
    const pinned = options.core !== undefined && hasTaskset;
    const command: Command = pinned
      ? ['taskset', '--cpu-list', [options.core].flat().join(','), program, ...args]
      : [program, ...args];
    const [first, ...rest] = inNamespace(options.namespace, command);
    this.#process = spawn(first, rest, {
      stdio: options.stdio,
      env: { ...process.env, ...options.env },
      // The scheduler weighs sessions against each other first.
      detached: options.isUrgent === true,
    });
    const { promise, resolve } = Promise.withResolvers<void>();
    const onEnd = (): void => {
      this.#hasEnded = true;
      running.delete(this);
      resolve();
    };
    this.#process.once('exit', onEnd).once('error', onEnd);
    this.#ended = promise;
    if (this.#process.pid === undefined) throw new Error(`${first} could not be started`);
    this.pid = this.#process.pid;
    if (options.isUrgent === true) makeUrgent(this.pid);
    running.add(this);
  }

  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /** The next message that it sends, within so many milliseconds. */
  async next<T>(limit: number = patience): Promise<T> {
    const { promise, resolve } = Promise.withResolvers<T>();
    const onMessage = (message: unknown): void => resolve(message as T);
    this.#process.once('message', onMessage);
    try {
      return await this.#within(promise, limit);
    } finally {
      this.#process.off('message', onMessage);
    }
  }

  /** Sends `message` and waits for what comes back, for so many milliseconds. */
  async ask<T>(message: object, limit: number = patience): Promise<T> {
    const answer = this.next<T>(limit);
    this.#process.send(message);
    return answer;
  }

  /** Waits until `check` gives something. */
  async until<T>(what: string, check: () => T | undefined | Promise<T | undefined>): Promise<T> {
    const deadline = performance.now() + patience;
    for (;;) {
      const result = await check();
      if (result !== undefined) return result;
      if (this.#hasEnded) throw new Error(`${this.name} has ended before ${what}`);
      if (performance.now() > deadline) throw new Error(`${this.name}: waited in vain until ${what}`);
      await sleep(20);
    }
  }

  /** Ends the process: by `signal`, and by force where that does not do. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    this.#process.kill(signal);
    await Promise.race([this.#ended, sleep(patience, undefined, { ref: false })]);
    this.kill();
    await this.#ended;
  }

  kill(): void {
    if (!this.#hasEnded) this.#process.kill('SIGKILL');
  }

  async #within<T>(answer: Promise<T>, limit: number): Promise<T> {
    const timeout = AbortSignal.timeout(limit);
    const late = new Promise<never>((_resolve, reject) => {
      timeout.addEventListener('abort', () => reject(new Error(`${this.name} does not answer`)));
    });
    const gone = this.#ended.then(() => {
      throw new Error(`${this.name} has ended unexpectedly`);
    });
    return Promise.race([answer, late, gone]);
  }
}
