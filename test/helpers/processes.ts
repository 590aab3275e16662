/** Child processes that cannot outlive the test file that started them. */
import { spawn, type ChildProcess } from 'node:child_process';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from './peers.ts';

/** Where a program can be run instead of on this host. */
interface Place {
  /** What runs a command there, in `folder`. */
  on(folder: string, ...command: readonly string[]): readonly [program: string, ...args: string[]];
}

export interface StartOptions {
  /** Where it runs; on this host if left out. */
  readonly host?: Place | undefined;
  readonly cwd?: string;
  /** Added to the environment of the tests. */
  readonly env?: Readonly<Record<string, string>>;
  /** What it reads from its standard input, which is empty if left out. */
  readonly input?: string;
  /** Its standard input stays open for `type`. */
  readonly isLed?: boolean;
}

export interface RunOptions extends StartOptions {
  /** Milliseconds until the program is killed; 20 s if left out. */
  readonly timeout?: number;
}

/** How a program ended. `code` is undefined if a signal ended it. */
export interface Exit {
  readonly code: number | undefined;
  readonly signal: NodeJS.Signals | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

/** Many tests start this program: that its types are stripped once halves the time that they take. */
const compiled = path.join(import.meta.dirname, '../../node_modules/.cache/node');

const running = new Set<Program>();
process.once('exit', () => {
  for (const program of running) program.signal('SIGKILL');
});

/** A program that runs in a process group of its own, since some servers fork for every transfer. */
export class Program {
  readonly name: string;
  readonly ended: Promise<Exit>;
  /** Starts the same once more, when this one has ended. */
  readonly again: () => Program;
  readonly #child: ChildProcess;
  #stdout = '';
  #stderr = '';
  #exit: Exit | undefined;

  constructor(command: Command, args: readonly string[], options: StartOptions = {}) {
    this.name = `${command.program} ${args.join(' ')}`;
    this.again = () => new Program(command, args, options);
    const line = [command.program, ...args] as const;
    const [program, ...rest] = options.host?.on(options.cwd ?? process.cwd(), ...line) ?? line;
    const { input, isLed = false } = options;
    this.#child = spawn(program, rest, {
      cwd: options.cwd,
      env: { NODE_COMPILE_CACHE: compiled, ...process.env, ...command.env, ...options.env },
      stdio: [input === undefined && !isLed ? 'ignore' : 'pipe', 'pipe', 'pipe'],
      detached: true,
    });
    // One that ends without reading it all says so in its exit code.
    this.#child.stdin?.on('error', () => {});
    if (!isLed) this.#child.stdin?.end(input);
    this.#child.stdout?.setEncoding('utf8').on('data', (text: string) => (this.#stdout += text));
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => (this.#stderr += text));
    running.add(this);
    this.ended = this.#watch();
  }

  /** Undefined if the program could not be started. */
  get pid(): number | undefined {
    return this.#child.pid;
  }

  get stdout(): string {
    return this.#stdout;
  }

  get stderr(): string {
    return this.#stderr;
  }

  /** Undefined as long as it runs. */
  get exit(): Exit | undefined {
    return this.#exit;
  }

  /** Writes to its standard input; for one that is led. */
  type(text: string): void {
    this.#child.stdin?.write(text);
  }

  /** Signals the whole process group. */
  signal(signal: NodeJS.Signals): void {
    if (this.pid === undefined || this.#exit !== undefined) return;
    try {
      process.kill(-this.pid, signal);
    } catch {
      // The group is gone already.
    }
  }

  /** Ends the program and what it forked. Idempotent. */
  async stop(): Promise<Exit> {
    this.signal('SIGTERM');
    const exit = await Promise.race([this.ended, sleep(3_000, undefined, { ref: false })]);
    this.signal('SIGKILL');
    return exit ?? this.ended;
  }

  #watch(): Promise<Exit> {
    return new Promise((resolve) => {
      const settle = (code: number | null, signal: NodeJS.Signals | null): void => {
        running.delete(this);
        this.#exit = {
          code: code ?? undefined,
          signal: signal ?? undefined,
          stdout: this.#stdout,
          stderr: this.#stderr,
        };
        resolve(this.#exit);
      };
      this.#child.once('close', settle);
      this.#child.once('error', (error) => {
        this.#stderr += `${error.message}\n`;
        if (this.pid === undefined) settle(127, null);
      });
    });
  }
}

/** Runs a program to its end. One that takes too long is killed, which its `signal` shows. */
export async function run(
  command: Command,
  args: readonly string[],
  options: RunOptions = {},
): Promise<Exit> {
  const program = new Program(command, args, options);
  const timer = setTimeout(() => program.signal('SIGKILL'), options.timeout ?? 20_000);
  try {
    return await program.ended;
  } finally {
    clearTimeout(timer);
  }
}

/** Ends everything that this test file has started and that still runs. */
export async function stopAll(): Promise<void> {
  await Promise.all([...running].map((program) => program.stop()));
}

/** Asks again and again until `check` gives something; throws `what` after `timeout` milliseconds. */
export async function until<T>(
  what: string,
  check: () => T | undefined | Promise<T | undefined>,
  timeout = 20_000,
): Promise<T> {
  const deadline = Date.now() + timeout;
  for (;;) {
    const result = await check();
    if (result !== undefined) return result;
    if (Date.now() > deadline) throw new Error(`waited ${timeout} ms in vain: ${what}`);
    await sleep(20);
  }
}
