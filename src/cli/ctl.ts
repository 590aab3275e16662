/** `tftp-lb ctl`: shows and changes how a running balancer uses its backends. */
import type { Command } from 'commander';

import { didYouMean } from '../config/suggest.ts';
import { CliError, ExitCode } from './context.ts';
import { Ctl, type CtlOptions, type DrainOptions, drainWish, weightChange } from './ctl-orders.ts';
import type { ServeContext } from './serve.ts';

const afterword = `
BACKEND is a name as status shows it. Without a service in front of it, the server is meant with all that it serves.

Examples:
  tftp-lb ctl status
  tftp-lb ctl drain ftp/192.0.2.11 --wait=10m
  tftp-lb ctl weight 192.0.2.12 3
`;

export function registerCtl(program: Command, context: ServeContext): Command {
  const ctl = program
    .command('ctl')
    .description('see and change how a running balancer uses its backends')
    .usage('ORDER [options]')
    .argument('[order]', 'one of those below')
    // An unknown order is what is wrong then, and not its options.
    .allowUnknownOption()
    .allowExcessArguments()
    .addHelpText('after', afterword)
    .action((order: string | undefined) => {
      throw unknownOrder(order, ctl);
    });
  const one = '[SERVICE/]BACKEND';
  add(ctl, 'status', 'show the backends, or one of them')
    .argument('[backend]', one)
    .action((name: string | undefined, options: CtlOptions) => new Ctl(context, options).status(name));
  add(ctl, 'drain', 'give a backend no new sessions; those that it has go on')
    .argument('[backend]', one)
    .option('--wait [timeout]', 'wait until none is left, for a time such as 10m at most')
    .action((name: string | undefined, options: DrainOptions) => {
      const wish = drainWish(name, options.wait);
      return new Ctl(context, options).drain(wish.name, wish.timeout);
    });
  add(ctl, 'enable', 'let a backend have sessions again')
    .argument('<backend>', one)
    .action((name: string, options: CtlOptions) => new Ctl(context, options).order(name, 'enable'));
  add(ctl, 'disable', 'as drain, and without health checks')
    .argument('<backend>', one)
    .action((name: string, options: CtlOptions) => new Ctl(context, options).order(name, 'disable'));
  add(ctl, 'weight', 'give a backend another weight')
    .argument('<backend>', one)
    .argument('<weight>', '1 to 256, or default, which is the configured one')
    .action((name: string, weight: string, options: CtlOptions) =>
      new Ctl(context, options).order(name, weightChange(weight)),
    );
  add(ctl, 'reload', 'let the balancer read its configuration anew').action((options: CtlOptions) =>
    new Ctl(context, options).reload(),
  );
  return ctl;
}

function add(ctl: Command, order: string, description: string): Command {
  return ctl
    .command(order)
    .description(description)
    .option('--admin-socket <path>', 'the admin socket (default: the one that a balancer has by itself)')
    .option('--url <url>', 'ask at the address of --admin instead')
    .option('--admin-token-file <file>', 'file with the bearer token for that')
    .option('--json', 'print JSON');
}

function unknownOrder(order: string | undefined, ctl: Command): CliError {
  const known = ctl.commands.map((command) => command.name());
  const what = order === undefined ? 'an order is missing' : `unknown order ${order}`;
  const hint = order === undefined ? '' : didYouMean(order, known);
  return new CliError(ExitCode.usage, `${what}${hint || `; there are ${known.join(', ')}`}`);
}
