import type { Net } from '../net/net.ts';

/** What a command may touch of the process that it runs in: src/cli.ts hands it over, tests hand over their own. */
export interface CliContext {
  readonly stdin: NodeJS.ReadableStream;
  readonly stdout: NodeJS.WritableStream;
  readonly stderr: NodeJS.WritableStream & { readonly isTTY?: boolean; readonly columns?: number };
  /** Aborted when the user or the service manager wants the process to stop. */
  readonly signal: AbortSignal;
  /** The network that the command uses, made when it is first asked for. */
  net(): Net;
  /** The exit code of a command that ends without throwing; 0 where it is never called. Ends nothing by itself. */
  finish(code: number): void;
}

/** Exit codes of a failure: it broke while running, or it was asked for wrongly. */
export const ExitCode = { failed: 1, usage: 2 } as const;

/** A failure that the user is told of in a line, or a line for each fault, without a stack trace: `tftp-lb: MESSAGE`. */
export class CliError extends Error {
  override readonly name = 'CliError';
  readonly exitCode: (typeof ExitCode)[keyof typeof ExitCode];
  readonly lines: readonly string[];

  constructor(
    exitCode: (typeof ExitCode)[keyof typeof ExitCode],
    said: string | readonly string[],
    options?: ErrorOptions,
  ) {
    const lines = typeof said === 'string' ? [said] : said;
    super(lines.join('; '), options);
    this.exitCode = exitCode;
    this.lines = lines;
  }
}
