/** `tftp-lb check`: reads the configuration as serve does and says what it thinks of it, without running anything. */
import type { Command } from 'commander';

import { findings } from '../config/findings.ts';
import { readSystemLimits } from '../net/limits.ts';
import { configOf } from './config-of.ts';
import { addFlags } from './flags.ts';
import type { ServeContext } from './serve.ts';

export function registerCheck(
  program: Command,
  context: Pick<ServeContext, 'environment' | 'stdout' | 'stderr'>,
): void {
  const check = program
    .command('check')
    .description('validate flags and environment, and report every fault')
    .option('--print', 'print the resolved configuration as JSON (durations in milliseconds)');
  addFlags(check);
  check.action((options: { print?: true }, command: Command) => {
    const config = configOf(command, context.environment);
    for (const { message } of findings(config, readSystemLimits())) {
      context.stderr.write(`tftp-lb: warning: ${message}\n`);
    }
    const printed = JSON.stringify(config, shown, 2);
    context.stdout.write(options.print === true ? `${printed}\n` : 'the configuration is valid\n');
  });
}

/** JSON has no undefined, and what is off should be seen; passwords should not. */
function shown(key: string, value: unknown): unknown {
  return key === 'password' && value !== undefined ? '***' : (value ?? null);
}
