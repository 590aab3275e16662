/** From what the operator said to a Config, or to everything that is wrong with it. */
import { defaultFtpTimeouts } from '../ftp/effects.ts';
import type { BackendSpec } from './backend.ts';
import type { BackendConfig, Config, FtpServiceConfig, HealthConfig, TftpServiceConfig } from './config.ts';
import type { Fault } from './fault.ts';
import type { OptionKey, Options } from './options.ts';
import { defaultPorts } from './rules.ts';
import { type OptionProblem, readOptions } from './read-options.ts';
import { optionInfos } from './schema.ts';
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
  const isShown = key !== undefined && keys.length === 1 && key !== 'ftpHealthPassword';
  const given = isShown ? said.get(key)?.value : undefined;
  const value = Array.isArray(given) && index !== undefined ? given[index] : given;
  return { source, value: typeof value === 'string' ? value : undefined, problem };
}

function flagOf(key: OptionKey): string {
  return optionInfos.find((info) => info.key === key)?.flag ?? key;
}

function toConfig(options: Options): Config {
  return {
    services: [
      ...(options.tftp ? [tftpService(options)] : []),
      ...(options.ftp ? [ftpService(options)] : []),
    ],
    admin: options.admin,
    log: { level: options.logLevel },
    drainTimeout: options.drainTimeout,
    workers: options.workers,
    engine: options.engine,
    busyPoll: options.busyPoll,
    adminSocket: options.adminSocket,
    adminTokenFile: options.adminTokenFile,
    resolveInterval: options.resolveInterval,
  };
}

function tftpService(options: Options): TftpServiceConfig {
  return {
    kind: 'tftp',
    name: 'tftp',
    listeners: options.vip.map((address) => ({ address, port: options.tftpPort })),
    backends: [...options.backend, ...options.tftpBackend].map((spec) => withPort(spec, defaultPorts.tftp)),
    policy: options.policy,
    tids: options.singlePort ? { kind: 'single-port' } : { kind: 'ephemeral', ports: options.tidPorts },
    requests: {
      readOnly: options.readOnly,
      maxBlksize: options.maxBlksize,
      maxWindowsize: options.maxWindowsize,
      stripMulticast: options.stripMulticast,
      retryNotFound: options.retryNotFound,
      backendAnyAddress: options.backendAnyAddress,
      transparent: options.transparent,
    },
    limits: {
      total: options.maxSessions,
      perClient: options.maxSessionsPerClient,
      perBackend: options.maxSessionsPerBackend,
    },
    timing: { tryInterval: options.tryInterval, idleTimeout: options.idleTimeout },
    health: {
      ...healthOf(options),
      probe: options.tftpHealthProbe,
      file: options.healthFile,
      sha256: options.healthSha256,
    },
  };
}

function ftpService(options: Options): FtpServiceConfig {
  return {
    kind: 'ftp',
    name: 'ftp',
    listeners: options.vip.map((address) => ({ address, port: options.ftpPort })),
    backends: [...options.backend, ...options.ftpBackend].map((spec) => withPort(spec, defaultPorts.ftp)),
    policy: options.ftpPolicy,
    commands: {
      readOnly: options.readOnly,
      denied: options.ftpDeny ?? [],
      maxWaiting: options.ftpMaxWaiting,
      caps: {
        clientLine: options.ftpMaxLine,
        backendLine: options.ftpMaxReplyLine,
        replyBytes: options.ftpMaxReply,
        replyLines: options.ftpMaxReplyLines,
      },
    },
    data: {
      clientModes: options.ftpModes,
      backendData: options.backendData,
      portAddress: options.portAddress,
      backendPasvAddress: options.backendPasvAddress,
      passivePorts: options.passivePorts,
      advertised: options.passiveAddress,
    },
    limits: {
      total: options.ftpMaxSessions,
      perClient: options.ftpMaxSessionsPerClient,
      perBackend: options.ftpMaxSessionsPerBackend,
    },
    timing: {
      connect: options.ftpConnectTimeout,
      greeting: options.ftpGreetingTimeout,
      login: options.ftpLoginTimeout,
      idle: options.ftpIdleTimeout,
      dataAccept: options.ftpAcceptTimeout,
      dataConnect: options.ftpDataTimeout,
      stall: options.ftpStallTimeout,
      finalReply: options.ftpReplyTimeout,
      settle: defaultFtpTimeouts.settle,
    },
    health: {
      ...healthOf(options),
      probe: options.ftpHealthProbe,
      user: options.ftpHealthUser,
      password: options.ftpHealthPassword,
      passwordFile: options.ftpHealthPasswordFile,
    },
    xferlog: options.xferlog,
  };
}

function healthOf(options: Options): Omit<HealthConfig, 'probe'> {
  return {
    interval: options.healthInterval,
    timeout: options.healthTimeout,
    rise: options.healthRise,
    fall: options.healthFall,
    ejectTime: options.ejectTime,
    ejectErrors: options.ejectErrors,
    slowStart: options.slowStart,
  };
}

function withPort({ name, host, port, weight }: BackendSpec, fallback: number): BackendConfig {
  return { name, host, port: port ?? fallback, weight };
}
