/** Flags and environment, brought together: what was said about each option, and where. */
import type { Fault } from './fault.ts';
import { type OptionInfo, optionInfos, type OptionKey } from './options.ts';
import { didYouMean } from './suggest.ts';

/**
 * What the command line said, by option: a text, a list of texts, or a boolean for a switch or a `--no-` form. A flag
 * that needs a value and got none says `true`.
 */
export type FlagValues = Readonly<Partial<Record<OptionKey, string | readonly string[] | boolean>>>;

export type Environment = Readonly<Record<string, string | undefined>>;

export interface Said {
  /** The flag or the variable. */
  readonly source: string;
  readonly value: string | readonly string[] | boolean;
}

/** What nobody spoke of is missing. */
export type SaidOptions = ReadonlyMap<OptionKey, Said>;

/** A flag silences the variable. */
export function gather(flags: FlagValues, environment: Environment): SaidOptions {
  const said = new Map<OptionKey, Said>();
  for (const info of optionInfos) {
    const flag = flags[info.key];
    const variable = ofVariable(info, environment[info.variable]);
    if (flag !== undefined) said.set(info.key, { source: info.flag, value: flag });
    else if (variable !== undefined) said.set(info.key, { source: info.variable, value: variable });
  }
  return said;
}

/** A blank variable counts as absent: that is how compose files and unit files pass on what is not set. */
function ofVariable({ kind }: OptionInfo, text = ''): string | readonly string[] | undefined {
  const value = text.trim();
  if (value === '' || isServiceLink(value)) return undefined;
  return kind === 'list' ? value.split(/\s+/) : value;
}

/** Variables with our prefix that no option has. */
export function unknownVariables(environment: Environment): Fault[] {
  const known = optionInfos.map((info) => info.variable);
  return Object.keys(environment)
    .filter((name) => name.startsWith('TFTP_LB_') && !known.includes(name))
    .filter((name) => !isServiceVariable(name) && !isServiceLink(environment[name] ?? ''))
    .map((name) => ({
      source: name,
      value: undefined,
      problem: `unknown variable${didYouMean(name, known)}`,
    }));
}

/**
 * Kubernetes gives each pod variables about the services of its namespace, named after them: a service `tftp-lb`
 * makes TFTP_LB_SERVICE_HOST, TFTP_LB_PORT=udp://10.0.0.1:69 and more, which nobody wrote for us.
 */
function isServiceVariable(name: string): boolean {
  return /_(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)$/.test(name);
}

function isServiceLink(value: string): boolean {
  return /^(tcp|udp|sctp):\/\//.test(value);
}
