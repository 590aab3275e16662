/** The flags of serve and check: made from the options of the configuration, read back as what was said of them. */
import { type Command, Option } from 'commander';

import type { Fault } from '../config/fault.ts';
import { type OptionInfo, optionInfos } from '../config/options.ts';
import type { FlagValues } from '../config/sources.ts';
import { didYouMean } from '../config/suggest.ts';

/**
 * Adds every flag. To commander all values are optional and whatever it does not know is welcome, because it would
 * stop at the first mistake: the configuration finds them all.
 */
export function addFlags(command: Command): void {
  command.allowUnknownOption().allowExcessArguments();
  for (const info of optionInfos) {
    for (const option of optionsOf(info)) command.addOption(option.helpGroup(`${info.group}:`));
  }
}

function optionsOf(info: OptionInfo): Option[] {
  const name = info.flag.slice(2);
  const negative = new Option(`--no-${name}`, described(info));
  if (info.kind === 'switch') {
    const isOn = info.fallback === 'true';
    return [new Option(info.flag, described(info)).hideHelp(isOn), negative.hideHelp(!isOn)];
  }
  const option = new Option(`${info.flag} [${info.placeholder}]`, described(info));
  if (info.kind === 'list') option.argParser(collect);
  return info.negatable ? [option, negative.hideHelp()] : [option];
}

function described({ text, fallback, kind }: OptionInfo): string {
  if (kind === 'list') return `${text} (repeatable)`;
  return fallback === '' || fallback === 'false' ? text : `${text} (default: ${fallback})`;
}

function collect(value: string, earlier: readonly string[] | undefined): readonly string[] {
  return [...(earlier ?? []), value];
}

/** What the command line said, for loadConfig. */
export function flagValues(command: Command): FlagValues {
  return command.opts<FlagValues>();
}

/**
 * What the command line said and nobody understands. `words` are the arguments that are no flags, then all from the
 * first unknown flag on, as commander leaves them, without those that the command knows; `commands` are what a stray
 * word may have meant.
 */
export function strayArguments(
  command: Command,
  commands: readonly string[],
  words: readonly string[] = command.args,
): Fault[] {
  const firstFlag = words.findIndex((word) => word.startsWith('-'));
  const strays = firstFlag < 0 ? words : words.slice(0, firstFlag);
  const unknown = words.filter((word, at) => word.startsWith('-') && word !== '--' && at >= firstFlag);
  return [
    ...strays.map((value) => ({
      source: 'argument',
      value,
      problem: `not expected${didYouMean(value, commands)}`,
    })),
    ...unknown.map((word) => unknownFlag(command, word)),
  ];
}

function unknownFlag(command: Command, word: string): Fault {
  const [flag = word] = word.split('=', 1);
  const known = command.options.flatMap(({ long }) => long ?? []);
  const problem = known.includes(flag)
    ? 'takes no value'
    : `unknown flag${didYouMean(flag, [...known, '--help'])}`;
  return { source: flag, value: undefined, problem };
}
