/** `tftp-lb check`: reads the configuration as serve does and says what it thinks of it, without running anything. */
import type { Command } from 'commander';

import { findings } from '../config/findings.ts';
import { printConfig } from '../config/print.ts';
import { configOf } from './config-of.ts';
import { addFlags } from './flags.ts';
import { readMachine } from './machine.ts';
import { readNamedFiles } from './named-files.ts';
import type { ServeContext } from './serve.ts';

export function registerCheck(
  program: Command,
  context: Pick<ServeContext, 'environment' | 'net' | 'stdout' | 'stderr'>,
): void {
  const check = program
    .command('check')
    .description('validate a file, flags and environment, and report every fault')
    .argument('[file]', 'file with the configuration, as --config')
    .option('--print', 'print the resolved configuration as a file, whatever it was given as');
  addFlags(check);
  check.action(async (file: string | undefined, options: { print?: true }, command: Command) => {
    const loaded = configOf(command, context.environment, file);
    const { config, document } = loaded;
    const machine = readMachine(config.engine);
    const { mapped, doubts } = await readNamedFiles(loaded, context.net());
    const found = findings(config, machine, (path) => document.nameOf(path), mapped);
    for (const message of [...found.map((finding) => finding.message), ...doubts]) {
      context.stderr.write(`tftp-lb: warning: ${message}\n`);
    }
    context.stdout.write(options.print === true ? printConfig(document) : 'the configuration is valid\n');
  });
}
