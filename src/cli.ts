/** The entry: the only file that touches argv, exit codes and signals. */
import { App } from './app.ts';
import { failureOf } from './cli/failure.ts';
import { createProgram } from './cli/program.ts';
import { type ServeContext, undrained } from './cli/serve.ts';
import { readVersion } from './cli/version.ts';
import { createNodeNet, createTidPorts, type TidPorts } from './net/node-net.ts';
import { chooseEngine, requireTransparency } from './runtime/engine-choice.ts';
import { nodeThreads } from './runtime/node-threads.ts';

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
  createBalancer: (config, parts) => {
    const { workers, engine, busyPoll, services } = config;
    const protocols = [...new Set(services.map(({ kind }) => kind))];
    const choice = chooseEngine(engine);
    if (services.some((service) => service.kind === 'tftp' && service.requests.transparent)) {
      requireTransparency(choice);
    }
    const threads = nodeThreads({ workers, protocols, tidPorts: tidPorts(), engine: choice, busyPoll });
    return new App(config, { ...parts, threads });
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
