/** Runs a command of the operator's, and takes the backend for alive if the command ends with 0. */
import type { Clock } from '../net/net.ts';
import type { ProbeOutcome } from '../observe/events.ts';
import type { ProbeTarget, Probe } from './probe.ts';
import { outcomeWithin, type ProbeRun } from './probe-run.ts';

/** A command without a shell: nothing in it is expanded but the placeholders of ExecProbe. */
export interface CommandLine {
  readonly program: string;
  readonly args: readonly string[];
  /** All that it finds in its environment, beside what every command has. */
  readonly environment: Readonly<Record<string, string>>;
}

export interface RunningCommand {
  /** How it ended: its exit code, undefined if a signal ended it. Rejects if it could not be started. */
  readonly ended: Promise<CommandEnd>;
  /** Ends it and whatever it has started, at once. Idempotent, and of no effect once it has ended. */
  kill(): void;
}

export interface CommandEnd {
  readonly code: number | undefined;
  /** The first line of its output, without its end; empty if there was none. Bounded. */
  readonly firstLine: string;
}

/** Starts commands: the seam to the operating system's processes. */
export type StartCommand = (command: CommandLine) => RunningCommand;

export interface ExecProbeOptions {
  readonly program: string;
  /** `{name}`, `{address}` and `{port}` stand for those of the backend. */
  readonly args: readonly string[];
  /** Milliseconds for the whole run. */
  readonly timeout: number;
  /** Hears the first line of each output that is not empty. */
  readonly onOutput: (backend: ProbeTarget, line: string) => void;
}

export class ExecProbe implements Probe {
  readonly #clock: Clock;
  readonly #start: StartCommand;
  readonly #options: ExecProbeOptions;

  constructor(clock: Clock, start: StartCommand, options: ExecProbeOptions) {
    this.#clock = clock;
    this.#start = start;
    this.#options = options;
  }

  check(backend: ProbeTarget, signal: AbortSignal): Promise<ProbeOutcome> {
    const run = new CommandRun(this.#start, backend, this.#options);
    return outcomeWithin(this.#clock, this.#options.timeout, run, signal);
  }
}

class CommandRun implements ProbeRun {
  readonly #start: StartCommand;
  readonly #backend: ProbeTarget;
  readonly #options: ExecProbeOptions;
  #command: RunningCommand | undefined;

  constructor(start: StartCommand, backend: ProbeTarget, options: ExecProbeOptions) {
    this.#start = start;
    this.#backend = backend;
    this.#options = options;
  }

  async outcome(): Promise<ProbeOutcome> {
    const { program, args, onOutput } = this.#options;
    const { name, address, port } = this.#backend;
    try {
      this.#command = this.#start({
        program,
        args: args.map((arg) => this.#filledIn(arg)),
        environment: { BACKEND_NAME: name, BACKEND_ADDRESS: address, BACKEND_PORT: String(port) },
      });
      const { code, firstLine } = await this.#command.ended;
      if (firstLine !== '') onOutput(this.#backend, firstLine);
      return code === 0 ? 'alive' : 'command-failed';
    } catch {
      return 'failed';
    }
  }

  close(): void {
    this.#command?.kill();
  }

  #filledIn(arg: string): string {
    const { name, address, port } = this.#backend;
    return arg
      .replaceAll('{name}', () => name)
      .replaceAll('{address}', () => address)
      .replaceAll('{port}', () => String(port));
  }
}
