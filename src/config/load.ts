/** From what the operator said to a Config, or to everything that is wrong with it. */
import { readConfigFile } from './config-file.ts';
import type { Config } from './config.ts';
import type { Document } from './document.ts';
import { ConfigError, type Fault, faultText } from './fault.ts';
import { FileDocument } from './file-document.ts';
import { FlagDocument } from './flag-document.ts';
import { flagFaults, isOn, protocolsIn, serviceFaults, switchFaults } from './flag-rules.ts';
import { isOfService, optionInfos } from './options.ts';
import { contradictions } from './rules.ts';
import { schema } from './schema.ts';
import { complaintsOf } from './section.ts';
import { type Environment, type FlagValues, gather, type SaidOptions, unknownVariables } from './sources.ts';

export type Loaded =
  | {
      readonly kind: 'config';
      readonly config: Config;
      /** What the configuration was read from. */
      readonly document: Document;
      /** Its path; undefined where flags alone say it all. */
      readonly file: string | undefined;
      /** Whether to reload when the file changes. */
      readonly watch: boolean;
      /** Whether to take over from a process that runs. */
      readonly takeover: boolean;
    }
  | { readonly kind: 'faulty'; readonly faults: readonly Fault[] };

/** Flags count before the environment, the environment before the file. Reports every fault, not the first. */
export function loadConfig(flags: FlagValues, environment: Environment): Loaded {
  const said = gather(flags, environment);
  const strangers = [...switchFaults(said), ...unknownVariables(environment)];
  const { file, ...read } = said.has('config') ? fromFile(said) : fromFlags(said);
  const watch = isOn(said, 'watch', false);
  const takeover = isOn(said, 'takeover', false);
  const faults = distinct([
    ...read.faults,
    ...strangers,
    ...(watch && file === undefined ? [nothingToWatch] : []),
  ]);
  const { config, document } = read;
  if (config === undefined || document === undefined || faults.length > 0) return { kind: 'faulty', faults };
  return { kind: 'config', config, document, file, watch, takeover };
}

interface Read {
  readonly config?: Config | undefined;
  readonly document?: Document;
  readonly file?: string;
  readonly faults: readonly Fault[];
}

const nothingToWatch: Fault = { source: '--watch', value: undefined, problem: 'needs --config' };

function fromFlags(said: SaidOptions): Read {
  const running = protocolsIn(said);
  const idle = (['tftp', 'ftp'] as const).filter((protocol) => !running.includes(protocol));
  const document = new FlagDocument(said, running);
  const { config, faults } = understand(document);
  // What is said of a protocol that is off has to be right all the same, but nothing listens that it could be at odds with.
  const idleFaults = idle.length > 0 ? faultsAlone(new FlagDocument(said, idle)) : [];
  return { config, document, faults: [...faults, ...idleFaults, ...flagFaults(said)] };
}

function fromFile(said: SaidOptions): Read {
  const { source = '', value } = said.get('config') ?? {};
  if (typeof value !== 'string' || value === '') {
    return { faults: [{ source, value: undefined, problem: 'expected the path of a file' }] };
  }
  const strangers = serviceFaults(said, value);
  try {
    const document = new FileDocument(value, readConfigFile(value));
    for (const info of optionInfos) {
      const given = said.get(info.key);
      if (given && !isOfService(info)) document.override(info, given);
    }
    const { config, faults } = understand(document);
    return { config, document, file: value, faults: [...strangers, ...faults] };
  } catch (error) {
    if (error instanceof ConfigError) return { file: value, faults: [...strangers, ...error.faults] };
    throw error;
  }
}

function understand(document: Document): { readonly config: Config | undefined; readonly faults: Fault[] } {
  const { content } = document;
  const { data, error } = schema.safeParse(content);
  const complaints = [...(error?.issues.flatMap(complaintsOf) ?? []), ...contradictions(content)];
  return { config: data, faults: document.faultsOf(complaints) };
}

/** What is wrong with values, whatever else is said. */
function faultsAlone(document: Document): Fault[] {
  const { error } = schema.safeParse(document.content);
  return document.faultsOf(error?.issues.flatMap(complaintsOf) ?? []);
}

/** What is wrong for both protocols is said once. */
function distinct(faults: readonly Fault[]): Fault[] {
  return [...new Map(faults.map((fault) => [faultText(fault), fault])).values()];
}
