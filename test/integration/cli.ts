/** `tftp-lb ARGS` as a process of its own. */
import path from 'node:path';
import { Program, run, type Exit, type RunOptions, type StartOptions } from '../helpers/processes.ts';

const node = { program: process.execPath, env: {} };
const entry: string = path.join(import.meta.dirname, '../../src/cli.ts');

/** Starts it. */
export function startTftpLb(args: readonly string[], options: StartOptions = {}): Program {
  return new Program(node, [entry, ...args], options);
}

/** Runs it to its end. */
export function runTftpLb(args: readonly string[], options: RunOptions = {}): Promise<Exit> {
  return run(node, [entry, ...args], options);
}
