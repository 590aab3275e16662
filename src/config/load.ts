/** From what the operator said to a Config, or to everything that is wrong with it. */
import type { BackendSpec } from './backend.ts';
import type { BackendConfig, Config, TftpServiceConfig } from './config.ts';
import type { Fault } from './fault.ts';
import type { OptionKey, Options } from './options.ts';
import { tftpPort } from './rules.ts';
import { optionInfos, type OptionProblem, readOptions } from './schema.ts';
import { type Environment, type FlagValues, gather, type Said, unknownVariables } from './sources.ts';

export type Loaded =
  | { readonly kind: 'config'; readonly config: Config }
  | { readonly kind: 'faulty'; readonly faults: readonly Fault[] };

/** Flags count before the environment, the environment before the defaults. Reports every fault, not the first. */
export function loadConfig(flags: FlagValues, environment: Environment): Loaded {
  const said = gather(flags, environment);
  const strangers = unknownVariables(environment);
  const read = readOptions(Object.fromEntries([...said].map(([key, { value }]) => [key, value])));
  if (read.kind === 'sound' && strangers.length === 0)
    return { kind: 'config', config: toConfig(read.options) };
  const problems = read.kind === 'faulty' ? read.problems : [];
  return { kind: 'faulty', faults: [...problems.map((problem) => faultOf(problem, said)), ...strangers] };
}

function faultOf({ keys, index, problem }: OptionProblem, said: ReadonlyMap<OptionKey, Said>): Fault {
  const source = keys.map((key) => said.get(key)?.source ?? flagOf(key)).join(' and ');
  const [key] = keys;
  const given = key === undefined || keys.length > 1 ? undefined : said.get(key)?.value;
  const value = Array.isArray(given) && index !== undefined ? given[index] : given;
  return { source, value: typeof value === 'string' ? value : undefined, problem };
}

function flagOf(key: OptionKey): string {
  return optionInfos.find((info) => info.key === key)?.flag ?? key;
}

function toConfig(options: Options): Config {
  return {
    services: [tftpService(options)],
    admin: options.admin,
    log: { level: options.logLevel },
    drainTimeout: options.drainTimeout,
    resolveInterval: options.resolveInterval,
  };
}

function tftpService(options: Options): TftpServiceConfig {
  return {
    kind: 'tftp',
    name: 'tftp',
    listeners: options.vip.map((address) => ({ address, port: options.tftpPort })),
    backends: [...options.backend, ...options.tftpBackend].map(withPort),
    policy: 'round-robin',
    tids: options.singlePort ? { kind: 'single-port' } : { kind: 'ephemeral', ports: options.tidPorts },
    requests: {
      readOnly: options.readOnly,
      maxBlksize: options.maxBlksize,
      maxWindowsize: options.maxWindowsize,
      stripMulticast: options.stripMulticast,
      retryNotFound: options.retryNotFound,
      backendAnyAddress: options.backendAnyAddress,
    },
    limits: {
      total: options.maxSessions,
      perClient: options.maxSessionsPerClient,
      perBackend: options.maxSessionsPerBackend,
    },
    timing: { tryInterval: options.tryInterval, idleTimeout: options.idleTimeout },
    health: {
      file: options.healthFile,
      interval: options.healthInterval,
      timeout: options.healthTimeout,
      rise: options.healthRise,
      fall: options.healthFall,
      ejectTime: options.ejectTime,
    },
  };
}

function withPort({ name, host, port, weight }: BackendSpec): BackendConfig {
  return { name, host, port: port ?? tftpPort, weight };
}
