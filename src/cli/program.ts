/** All commands, put together. */
import { Command } from 'commander';

import { registerCheck } from './check.ts';
import { registerCtl } from './ctl.ts';
import { registerDemo } from './demo.ts';
import { registerGet } from './get.ts';
import { shapeHelp } from './help.ts';
import { registerPut } from './put.ts';
import { registerSchema } from './schema.ts';
import { registerServe, type ServeContext } from './serve.ts';

/** A program whose `parseAsync` runs a command; it throws where commander alone would end the process. */
export function createProgram(context: ServeContext): Command {
  const program = new Command('tftp-lb')
    .description(
      'A load balancer that understands TFTP and FTP: clients talk to one address, servers share the work.',
    )
    .version(context.version, '--version', 'print the version')
    .helpOption('--help', 'print this help')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => void context.stdout.write(text),
      // What went wrong is thrown as well, and said where all failures are.
      outputError: () => undefined,
    });
  const serve = registerServe(program, context);
  registerCheck(program, context);
  registerSchema(program, context);
  registerCtl(program, context);
  registerGet(program, context);
  registerPut(program, context);
  registerDemo(program, context);
  shapeHelp(program, serve);
  return program;
}
