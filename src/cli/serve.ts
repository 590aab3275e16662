/** The default command: runs the balancer until it is told to stop, then drains it. */
import { dirname, resolve } from 'node:path';

import type { Command } from 'commander';

import type { Config } from '../config/config.ts';
import { findings } from '../config/findings.ts';
import type { Environment } from '../config/sources.ts';
import type { Net } from '../net/net.ts';
import { createLogger, type Logger } from '../observe/log.ts';
import { defaultSocketPath } from '../observe/runtime-folder.ts';
import { TakeoverError } from '../runtime/takeover-error.ts';
import type { Meeting, TakeoverTaker } from '../runtime/takeover-taker.ts';
import { AdminClient, findSocket } from './ctl-client.ts';
import { takeoverAnswer } from './ctl-answers.ts';
import { configOf, type LoadedConfig } from './config-of.ts';
import type { CliContext } from './context.ts';
import { addFlags } from './flags.ts';
import { readMachine } from './machine.ts';
import { FileWatch } from './watch-file.ts';

/** What `serve` drives; src/app.ts has the one that counts. */
export interface Balancer {
  start(): Promise<void>;
  /** Ends when no session is left, when its time is over, or when `force` aborts. */
  drain(force: AbortSignal): Promise<'drained' | 'timed-out' | 'forced'>;
  stop(): Promise<void>;
  /** Log files have been renamed. */
  reopenLogs(): void;
  /** Reads the configuration anew. Never rejects: what is wrong is logged. */
  reload(): Promise<unknown>;
  /** Resolves when another process has taken over all that it can have. */
  handedOver(): Promise<void>;
  /** Resolves when no session is left here, or when `signal` aborts. */
  finished(signal: AbortSignal): Promise<void>;
}

export interface BalancerParts {
  readonly net: Net;
  readonly log: Logger;
  readonly version: string;
  /** Where the admin socket is unless the configuration says so. */
  readonly adminSocket: string | undefined;
  /** Whether services may come and go: there is a file that says which there are. */
  readonly isReloadable: boolean;
  /** The other end of a process that serves until now, if there is one. */
  readonly taker: TakeoverTaker | undefined;
  /** Reads the configuration anew. Throws ConfigError. */
  readonly load: () => Config;
}

export interface ServeContext extends CliContext {
  readonly environment: Environment;
  readonly version: string;
  /** Aborted when whoever asked for the end asks again: sessions are not waited for any longer. */
  readonly force: AbortSignal;
  /** Calls back whenever the operator wants log files opened anew. */
  onRotate(callback: () => void): void;
  /** Calls back whenever the operator wants the configuration read anew. */
  onReload(callback: () => void): void;
  /** The process that runs with this configuration, about to be taken over from. */
  beginTakeover(config: Config, net: Net, meeting: Meeting): Promise<TakeoverTaker>;
  createBalancer(config: Config, parts: BalancerParts): Balancer;
}

/** The exit code of a balancer that left sessions behind. */
export const undrained = 3;

export function registerServe(program: Command, context: ServeContext): Command {
  const serve = program
    .command('serve', { isDefault: true })
    .description('run the balancer (what happens without a command)');
  addFlags(serve);
  return serve.action(async (_options, command: Command) => {
    await run(() => configOf(command, context.environment), context);
  });
}

async function run(load: () => LoadedConfig, context: ServeContext): Promise<void> {
  const { version, signal, force, environment } = context;
  const { config, file, watch, takeover, ...loaded } = load();
  const log = createLogger(config.log.level);
  warn({ config, ...loaded }, log);
  const reread = (): Config => {
    const again = load();
    warn(again, log);
    return again.config;
  };
  const net = context.net();
  const isReloadable = file !== undefined;
  const adminSocket = defaultSocketPath(environment, process.getuid?.());
  const taker = takeover ? await beginTakeover(config, net, context) : undefined;
  const parts = { taker, net, log, version, adminSocket, isReloadable, load: reread };
  const balancer = context.createBalancer(config, parts);
  const reload = (): void => void balancer.reload();
  context.onRotate(() => balancer.reopenLogs());
  context.onReload(reload);
  const fileWatch = watch && file !== undefined ? new FileWatch(file, net, reload) : undefined;
  try {
    await Promise.race([balancer.start(), aborted(force)]);
    await Promise.race([aborted(signal), balancer.handedOver()]);
    const outcome = await end(balancer, context, log);
    log.info({ outcome }, 'stopping');
    context.finish(outcome === 'drained' ? 0 : undrained);
  } finally {
    fileWatch?.close();
    await balancer.stop();
  }
}

/** The end of a balancer that was told to stop, or that another process has taken over from. */
async function end(
  balancer: Balancer,
  { signal, force }: ServeContext,
  log: Logger,
): ReturnType<Balancer['drain']> {
  if (!signal.aborted) {
    // Nobody waits for this process, so what is left of sessions has all the time that it needs.
    await balancer.finished(signal);
    if (!signal.aborted) return 'drained';
  }
  log.info('draining');
  return force.aborted ? 'forced' : balancer.drain(force);
}

function beginTakeover(config: Config, net: Net, context: ServeContext): Promise<TakeoverTaker> {
  const { socket } = config.admin;
  if (socket === undefined) throw new TakeoverError('--takeover needs the admin socket, which is turned off');
  const { environment, force } = context;
  const place = socket === 'auto' ? findSocket(environment) : socket;
  const client = new AdminClient({ adminSocket: place }, environment, force);
  const ask = async (path: string): Promise<void> => {
    await client.post(`/-/takeover?path=${encodeURIComponent(path)}`, takeoverAnswer);
  };
  return context.beginTakeover(config, net, { folder: dirname(resolve(place)), ask });
}

/** Of what is legal and probably wrong. */
function warn({ config, document }: Pick<LoadedConfig, 'config' | 'document'>, log: Logger): void {
  for (const { kind, message } of findings(config, readMachine(config.engine), (path) =>
    document.nameOf(path),
  )) {
    log.warn({ finding: kind }, message);
  }
}

async function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
