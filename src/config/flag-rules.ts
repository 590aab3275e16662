/** What only flags can get wrong: they are about two protocols at once, and a file is about services. */
import { formatHostPort } from './address.ts';
import { parseBackend } from './backend.ts';
import { dotted } from './document.ts';
import type { Fault } from './fault.ts';
import * as field from './fields.ts';
import { isOfService, optionInfos, type OptionKey } from './options.ts';
import type { SaidOptions } from './sources.ts';

export type Protocol = 'tftp' | 'ftp';
const protocols: readonly Protocol[] = ['tftp', 'ftp'];

/** Those that are to be balanced. A switch that says neither yes nor no counts as yes. */
export function protocolsIn(said: SaidOptions): Protocol[] {
  return protocols.filter((protocol) => isOn(said, protocol, true));
}

/** Whether a switch of the command line is on. */
export function isOn(said: SaidOptions, key: OptionKey, fallback: boolean): boolean {
  const value = said.get(key)?.value;
  return value === undefined ? fallback : (field.toggle().safeParse(value).data ?? fallback);
}

/** Switches that say neither yes nor no. */
export function switchFaults(said: SaidOptions): Fault[] {
  return optionInfos.flatMap(({ key, kind, to }) => {
    const given = said.get(key);
    if (kind !== 'switch' || to.length > 0 || given === undefined) return [];
    const issue = field.toggle().safeParse(given.value).error?.issues[0];
    return issue === undefined ? [] : [fault(said, [key], issue.message, textOf(given.value))];
  });
}

/** With flags alone: what is missing, and ports of nobody. */
export function flagFaults(said: SaidOptions): Fault[] {
  const running = protocolsIn(said);
  if (running.length === 0) return [fault(said, protocols, 'cannot both be off: nothing is left to balance')];
  return [...missingBackends(said, running), ...(running.length > 1 ? sharedPorts(said) : [])];
}

/** With a file: what only services can be told. */
export function serviceFaults(said: SaidOptions, file: string): Fault[] {
  return optionInfos.filter(isOfService).flatMap(({ key, to }) => {
    if (!said.has(key)) return [];
    const [, , ...place] = to[0] ?? [];
    const key_ = to.length === 0 ? 'services' : `services.NAME.${dotted(place)}`;
    return [fault(said, [key], `cannot stand beside a file of services: say it in ${file}, as ${key_}`)];
  });
}

function missingBackends(said: SaidOptions, running: readonly Protocol[]): Fault[] {
  const lacking = running.filter((protocol) => !sources(protocol).some((key) => said.has(key)));
  if (lacking.length === 0) return [];
  const alone = lacking.map((protocol) => `--${protocol}-backend`).join(' and ');
  const others = lacking.map((protocol) => `--no-${protocol}`).join(' and ');
  const isWhole = lacking.length === running.length;
  const problem = `required: a server to balance over, HOST[:PORT] (or ${alone}${isWhole ? '' : `, or ${others}`})`;
  return [{ source: '--backend', value: undefined, problem }];
}

/** What says where the backends of a protocol are. */
function sources(protocol: Protocol): readonly OptionKey[] {
  return [
    ...(['backend', 'backendsDns', 'backendsFile'] as const),
    ...([`${protocol}Backend`, `${protocol}BackendsDns`, `${protocol}BackendsFile`] as const),
  ];
}

/** A port belongs to one protocol. */
function sharedPorts(said: SaidOptions): Fault[] {
  const values = said.get('backend')?.value;
  if (!Array.isArray(values)) return [];
  return values.flatMap((text: string) => {
    const spec = parseBackend(text);
    if (typeof spec === 'string' || spec.port === undefined) return [];
    const place = formatHostPort(spec.host, spec.port);
    const problem = `a port is for one protocol: give --tftp-backend ${place} or --ftp-backend ${place}, or turn one off with --no-ftp or --no-tftp`;
    return [fault(said, ['backend'], problem, text)];
  });
}

function fault(said: SaidOptions, keys: readonly OptionKey[], problem: string, value?: string): Fault {
  const sources = keys.map((key) => said.get(key)?.source ?? `--${key}`);
  return { source: sources.join(' and '), value, problem };
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
