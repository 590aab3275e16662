/** The entry: the only file that touches argv, exit codes and signals. */
import { App } from './app.ts';
import { failureOf } from './cli/failure.ts';
import { createProgram } from './cli/program.ts';
import { type ServeContext, undrained } from './cli/serve.ts';
import { readVersion } from './cli/version.ts';
import type { Config } from './config/config.ts';
import { createNodeNet, createTidPorts, type TidPorts } from './net/node-net.ts';
import {
  chooseEngine,
  type EngineChoice,
  EngineUnavailableError,
  requireTransparency,
} from './runtime/engine-choice.ts';
import { nodeThreads } from './runtime/node-threads.ts';
import { TakeoverTaker } from './runtime/takeover-taker.ts';

/** How long a forced end may take before the process is gone all the same (milliseconds). */
const forcedEnd = 1000;

const stop = new AbortController();
const force = new AbortController();

function onSignal(): void {
  if (!stop.signal.aborted) {
    stop.abort();
    return;
  }
  force.abort();
  setTimeout(() => process.exit(undrained), forcedEnd).unref();
}

/** Says what failed, one line a fault. */
function report(error: unknown): void {
  const failure = failureOf(error);
  if (failure === undefined) return;
  process.exitCode = failure.exitCode;
  for (const line of failure.lines) process.stderr.write(`tftp-lb: ${line}\n`);
}

process.on('SIGTERM', onSignal);
process.on('SIGINT', onSignal);
process.on('uncaughtException', (error) => {
  report(error);
  process.exit();
});
// Whoever read the output has had enough: no reason to make a noise.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') report(error);
  process.exit(1);
});

// Nobody is left who could be told.
process.stderr.on('error', () => undefined);

let sharedPorts: TidPorts | undefined;

/** What all threads of this process take the ports of their TIDs from. */
function tidPorts(): TidPorts {
  return (sharedPorts ??= createTidPorts());
}

/** Throws EngineUnavailableError where the configuration needs what the engine cannot do here. */
function possible(config: Config, choice: EngineChoice): Config {
  const isTransparent = config.services.some(
    (service) => service.kind === 'tftp' && service.requests.transparent,
  );
  if (isTransparent) requireTransparency(choice);
  return config;
}

const context: ServeContext = {
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  environment: process.env,
  version: readVersion(),
  signal: stop.signal,
  force: force.signal,
  net: () => createNodeNet({ tidPorts: tidPorts() }),
  onRotate: (callback) => void process.on('SIGUSR1', callback),
  onReload: (callback) => void process.on('SIGHUP', callback),
  beginTakeover: (config, net, meeting) => {
    const choice = chooseEngine(config.engine);
    if (choice.name === 'linux') return TakeoverTaker.begin(choice.libc, net, meeting);
    throw new EngineUnavailableError(
      `--takeover needs the linux engine, and this is the portable one: ${choice.reason}`,
    );
  },
  createBalancer: (config, parts) => {
    const { workers, engine, busyPoll, services } = config;
    // Threads are planned at the start, and made for a protocol when it has its first service.
    const kinds = parts.isReloadable ? (['tftp', 'ftp'] as const) : services.map(({ kind }) => kind);
    const protocols = [...new Set(kinds)];
    const choice = chooseEngine(engine);
    const load = (): Config => possible(parts.load(), choice);
    const inheritance = parts.taker?.inheritance;
    const threads = nodeThreads({
      workers,
      protocols,
      tidPorts: tidPorts(),
      engine: choice,
      busyPoll,
      inheritance,
    });
    return new App(possible(config, choice), { ...parts, load, threads });
  },
  finish: (code) => {
    process.exitCode = code;
  },
};

try {
  await createProgram(context).parseAsync(process.argv);
} catch (error) {
  report(error);
}
