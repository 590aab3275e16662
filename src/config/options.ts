/** The options as the command line, the environment, the help and the docs know them. */
import { nodeAt } from './json-schema.ts';
import { type OptionGroup, type OptionSpec, table } from './option-table.ts';

export type OptionKey = (typeof table)[number]['key'];

/** One option as the command line, the environment, the help and the docs know it. */
export interface OptionInfo {
  readonly key: OptionKey;
  /** `--try-interval` */
  readonly flag: string;
  /** `TFTP_LB_TRY_INTERVAL` */
  readonly variable: string;
  /** A switch takes no value on the command line; a list is given any number of times. */
  readonly kind: 'switch' | 'value' | 'list';
  /** Whether `--no-...` exists. */
  readonly negatable: boolean;
  readonly group: OptionGroup;
  /** What stands for the value in help and docs; empty for a switch. */
  readonly placeholder: string;
  readonly text: string;
  /** The default as an operator would write it; empty where there is none. */
  readonly fallback: string;
  /** Where in the configuration it says something. */
  readonly to: readonly (readonly string[])[];
  /** Of an entry of the list, the key that the value is for. */
  readonly part: string | undefined;
}

/** The services that flags are about. */
const flagServices = { services: { tftp: { protocol: 'tftp' }, ftp: { protocol: 'ftp' } } };

/** In the order in which help and docs show them. */
export const optionInfos: readonly OptionInfo[] = table.map(infoOf);

/** Whether it is about services, of which a file has its own. */
export function isOfService({ group, to }: OptionInfo): boolean {
  return group === 'Addresses' || to.some(([section]) => section === 'services');
}

function infoOf(spec: OptionSpec & { readonly key: OptionKey }): OptionInfo {
  const { key, group, list, negatable, part } = spec;
  const name = key.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  const to = spec.to.map((path) => path.split('.'));
  const {
    title = '',
    description = '',
    type = 'boolean',
    ...node
  } = nodeAt(to[0] ?? ['none'], flagServices) ?? {};
  const isSwitch = spec.value === undefined && type === 'boolean' && node.anyOf === undefined;
  return {
    key,
    flag: `--${name}`,
    variable: `TFTP_LB_${name.replaceAll('-', '_').toUpperCase()}`,
    kind: isSwitch ? 'switch' : list === true ? 'list' : 'value',
    negatable: isSwitch || negatable === true,
    group,
    placeholder: isSwitch ? '' : (spec.value ?? title),
    text: spec.text ?? description,
    fallback: spec.fallback ?? String(node.default ?? ''),
    to,
    part,
  };
}
