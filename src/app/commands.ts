/** Commands as processes of the system. */
import { type ChildProcess, spawn } from 'node:child_process';
import { env, kill } from 'node:process';

import type { CommandEnd, CommandLine, RunningCommand } from '../health/exec-probe.ts';

/** Bytes of a first line that are kept. */
const longestLine = 512;
/** Milliseconds for which output is waited for behind the end: what the command has left running may hold it for ever. */
const patience = 200;

/**
 * Starts a command in a process group of its own, without a shell, without input, in the root folder, and with nothing
 * of this process's environment but PATH.
 */
export function startCommand({ program, args, environment }: CommandLine): RunningCommand {
  const child: ChildProcess = spawn(program, args, {
    cwd: '/',
    env: { PATH: env['PATH'] ?? '', ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  return { ended: endOf(child), kill: () => killGroup(child) };
}

async function endOf(child: ChildProcess): Promise<CommandEnd> {
  const { promise, resolve, reject } = Promise.withResolvers<number | undefined>();
  const line = new FirstLine();
  // There are none where descriptors have run out.
  const outputs = [child.stdout, child.stderr].filter((output) => output !== null && output !== undefined);
  for (const output of outputs) output.on('data', (bytes: Buffer) => line.add(bytes));
  let waiting: NodeJS.Timeout | undefined;
  child.on('error', reject);
  child.once('exit', () => {
    waiting = setTimeout(() => outputs.forEach((output) => output.destroy()), patience);
  });
  child.once('close', (code) => resolve(code ?? undefined));
  try {
    return { code: await promise, firstLine: line.text };
  } finally {
    clearTimeout(waiting);
  }
}

/** Once it has ended, its number may be somebody else's. */
function killGroup({ pid, exitCode, signalCode }: ChildProcess): void {
  if (pid === undefined || exitCode !== null || signalCode !== null) return;
  try {
    kill(-pid, 'SIGKILL');
  } catch {
    // The group is gone already.
  }
}

/** What comes before the first line break; the rest is read and thrown away. */
class FirstLine {
  #bytes = '';
  #isOver = false;

  get text(): string {
    return this.#bytes.trimEnd();
  }

  add(part: Buffer): void {
    if (this.#isOver) return;
    const [line = '', ...rest] = part.toString('latin1').split('\n', 2);
    this.#bytes = `${this.#bytes}${line}`.slice(0, longestLine);
    this.#isOver = rest.length > 0 || this.#bytes.length === longestLine;
  }
}
