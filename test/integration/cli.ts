/** `tftp-lb ARGS` as a process of its own. */
import { entry } from '../helpers/entry.ts';
import { Program, run, type Exit, type RunOptions, type StartOptions } from '../helpers/processes.ts';

/** What is started for `tftp-lb ARGS`. */
export function tftpLbCommand(args: readonly string[]): { program: string; args: readonly string[] } {
  return { program: process.execPath, args: [entry, ...args] };
}

/** Starts it. */
export function startTftpLb(args: readonly string[], options: StartOptions = {}): Program {
  const command = tftpLbCommand(args);
  return new Program({ ...command, env: {} }, command.args, options);
}

/** Runs it to its end. */
export function runTftpLb(args: readonly string[], options: RunOptions = {}): Promise<Exit> {
  const command = tftpLbCommand(args);
  return run({ ...command, env: {} }, command.args, options);
}
