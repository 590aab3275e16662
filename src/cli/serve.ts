/** The default command: runs the balancer until it is told to stop, then drains it. */
import type { Command } from 'commander';

import type { Config } from '../config/config.ts';
import { findings } from '../config/findings.ts';
import type { Environment } from '../config/sources.ts';
import type { Net } from '../net/net.ts';
import { createLogger, type Logger } from '../observe/log.ts';
import { configOf, type LoadedConfig } from './config-of.ts';
import type { CliContext } from './context.ts';
import { addFlags } from './flags.ts';
import { readMachine } from './machine.ts';

/** What `serve` drives; src/app.ts has the one that counts. */
export interface Balancer {
  start(): Promise<void>;
  /** Ends when no session is left, when its time is over, or when `force` aborts. */
  drain(force: AbortSignal): Promise<'drained' | 'timed-out' | 'forced'>;
  stop(): Promise<void>;
  /** Log files have been renamed. */
  reopenLogs(): void;
}

export interface BalancerParts {
  readonly net: Net;
  readonly log: Logger;
  readonly version: string;
}

export interface ServeContext extends CliContext {
  readonly environment: Environment;
  readonly version: string;
  /** Aborted when whoever asked for the end asks again: sessions are not waited for any longer. */
  readonly force: AbortSignal;
  /** Calls back whenever the operator wants log files opened anew. */
  onRotate(callback: () => void): void;
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
    await run(configOf(command, context.environment), context);
  });
}

async function run({ config, document }: LoadedConfig, context: ServeContext): Promise<void> {
  const { version, signal, force } = context;
  const log = createLogger(config.log.level);
  for (const { kind, message } of findings(config, readMachine(), (path) => document.nameOf(path))) {
    log.warn({ finding: kind }, message);
  }
  const balancer = context.createBalancer(config, { net: context.net(), log, version });
  context.onRotate(() => balancer.reopenLogs());
  try {
    await Promise.race([balancer.start(), aborted(force)]);
    await aborted(signal);
    log.info('draining');
    const outcome = force.aborted ? 'forced' : await balancer.drain(force);
    log.info({ outcome }, 'stopping');
    context.finish(outcome === 'drained' ? 0 : undrained);
  } finally {
    await balancer.stop();
  }
}

async function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
