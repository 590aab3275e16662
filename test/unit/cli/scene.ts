/** The command line without a process: what it writes, how it fails, and which balancer it would have run. */
import { Readable, Writable } from 'node:stream';
import { failureOf } from '../../../src/cli/failure.ts';
import { createProgram } from '../../../src/cli/program.ts';
import type { Balancer, ServeContext } from '../../../src/cli/serve.ts';
import type { Config } from '../../../src/config/config.ts';
import type { Environment } from '../../../src/config/sources.ts';
import { TakeoverError } from '../../../src/runtime/takeover-error.ts';
import { MemoryNet } from '../../../src/net/memory-net.ts';

export interface Outcome {
  readonly stdout: string;
  readonly stderr: string;
  /** What the user is told of a failure, a line each. */
  readonly failures: readonly string[];
  readonly exitCode: number;
  /** What the balancer was built from, if it came to that. */
  readonly config: Config | undefined;
}

export interface SceneOptions {
  readonly environment?: Environment;
  readonly balancer?: Balancer;
  /** That the process shall stop: said already, if left out. */
  readonly signal?: AbortSignal;
  readonly force?: AbortSignal;
  /** Is given what an operator would call to have the configuration read anew. */
  readonly onReload?: (reload: () => void) => void;
}

/** A balancer that starts and drains at once. */
export const willing: Balancer = {
  start: async () => undefined,
  drain: async () => 'drained',
  stop: async () => undefined,
  reopenLogs: () => undefined,
  reload: async () => undefined,
  handedOver: () => new Promise<void>(() => undefined),
  finished: async () => undefined,
};

/** Runs `tftp-lb` with these arguments. */
export async function command(args: readonly string[], options: SceneOptions = {}): Promise<Outcome> {
  const { environment = {}, balancer = willing, signal = AbortSignal.abort() } = options;
  const [stdout, stderr] = [new Sink(), new Sink()];
  let config: Config | undefined;
  let exitCode = 0;
  const context: ServeContext = {
    stdin: Readable.from([]),
    stdout,
    stderr,
    environment,
    version: '1.2.3',
    signal,
    force: options.force ?? new AbortController().signal,
    net: () => new MemoryNet({ seed: 1 }).host(['192.0.2.1']),
    onRotate: () => undefined,
    onReload: (callback) => options.onReload?.(callback),
    beginTakeover: async () => {
      throw new TakeoverError('nobody is there');
    },
    createBalancer: (given) => {
      config = given;
      return balancer;
    },
    finish: (code) => {
      exitCode = code;
    },
  };
  const end = (failures: readonly string[]): Outcome => {
    return { stdout: stdout.text, stderr: stderr.text, failures, exitCode, config };
  };
  try {
    await createProgram(context).parseAsync(args, { from: 'user' });
    return end([]);
  } catch (error) {
    const failure = failureOf(error);
    exitCode = failure?.exitCode ?? 0;
    return end(failure?.lines ?? []);
  }
}

class Sink extends Writable {
  text = '';

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: () => void): void {
    this.text += chunk.toString('utf8');
    callback();
  }
}
