/** The help text: the flags of serve in their groups, the other commands, three examples. */
import { type Command, Help, type Option } from 'commander';

import { type OptionInfo, optionInfos } from '../config/options.ts';

export interface Example {
  readonly command: string;
  readonly text: string;
}

export const examples: readonly Example[] = [
  {
    command: 'tftp-lb --vip 0.0.0.0 --backend 192.0.2.11 --backend 192.0.2.12',
    text: 'balance TFTP and FTP on all IPv4 addresses of this host over two servers',
  },
  {
    command:
      'tftp-lb --vip 192.0.2.1 --no-ftp --tid-ports 40000-49999 --backend 192.0.2.11,weight=3 --backend [2001:db8::12]:6969',
    text: 'TFTP alone, answered from ports that a firewall lets through; the first server gets three requests of four',
  },
  {
    command: 'tftp-lb check --print --vip 0.0.0.0 --vip :: --single-port --backend tftp.example',
    text: 'see the file that a command line amounts to, without running it',
  },
];

/** Gives `program`, whose default command is `serve`, the help of both as one. All commands are registered by now. */
export function shapeHelp(program: Command, serve: Command): void {
  const plain = new Help();
  const terms = new Map(optionInfos.map((info) => [info.flag, termOf(info)]));
  program.usage(
    '--vip ADDR --backend HOST[:PORT] [options]\n       tftp-lb --config FILE [options]\n       tftp-lb COMMAND [options]',
  );
  for (const command of [program, ...program.commands]) {
    command.configureHelp({
      optionTerm: (option) => terms.get(flagOf(option)) ?? plain.optionTerm(option),
      visibleOptions: (shown) =>
        shown === program
          ? [...plain.visibleOptions(serve).filter(isNotHelp), ...plain.visibleOptions(program)]
          : plain.visibleOptions(shown),
    });
  }
  for (const command of [program, serve]) command.addHelpText('after', afterword);
}

/** What commander is told of a flag is not what users should read (see flags.ts). */
function termOf({ flag, kind, placeholder, fallback }: OptionInfo): string {
  if (kind !== 'switch') return `${flag} ${placeholder}`;
  return fallback === 'true' ? `--[no-]${flag.slice(2)}` : flag;
}

function flagOf({ long, negate }: Option): string {
  return negate ? `--${long?.slice('--no-'.length)}` : (long ?? '');
}

function isNotHelp(option: Option): boolean {
  return option.long !== '--help';
}

const afterword = `
Durations are written 500ms, 10s, 1m or 2h; a plain number counts seconds.
Every flag is also a variable: --try-interval is TFTP_LB_TRY_INTERVAL. There, a
flag without a value is true or false, what is repeatable is separated by white
space, and --no-admin is TFTP_LB_ADMIN=false. Flags count before variables,
variables before the file.

Examples:
${examples.map(({ command, text }) => `  ${command}\n      ${text}`).join('\n')}
`;
