/** `tftp-lb schema`: the JSON schema of the configuration file, for editors. */
import type { Command } from 'commander';

import { jsonSchema } from '../config/json-schema.ts';
import type { CliContext } from './context.ts';

export function registerSchema(program: Command, context: Pick<CliContext, 'stdout'>): void {
  program
    .command('schema')
    .description('print the JSON schema of the configuration file, for editors')
    .action(() => void context.stdout.write(`${JSON.stringify(jsonSchema, undefined, 2)}\n`));
}
