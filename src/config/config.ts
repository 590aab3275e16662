import type {
  ListenerSpec,
  PolicyName,
  RequestRules,
  SessionLimits,
  TftpTiming,
  TidMode,
} from '../engine/snapshot.ts';

/** What one run of the balancer is told: plain data, every default filled in, every rule of schema.ts kept. */
export interface Config {
  readonly services: readonly TftpServiceConfig[];
  /** Where the admin endpoints listen; port 0 lets the system choose. Undefined turns them off. */
  readonly admin: ListenerSpec | undefined;
  readonly log: LogConfig;
  /** Milliseconds that running sessions get to finish in once the balancer is told to stop. */
  readonly drainTimeout: number;
  /** Milliseconds between two resolutions of a backend's host name. */
  readonly resolveInterval: number;
}

export interface TftpServiceConfig {
  readonly kind: 'tftp';
  readonly name: string;
  /** Port 0 lets the system choose. */
  readonly listeners: readonly ListenerSpec[];
  /** At least one; names differ. */
  readonly backends: readonly BackendConfig[];
  readonly policy: PolicyName;
  readonly tids: TidMode;
  readonly requests: RequestRules;
  readonly limits: SessionLimits;
  readonly timing: TftpTiming;
  readonly health: HealthConfig;
}

/** A backend as the operator wrote it: a host name stands for all the addresses that it resolves to. */
export interface BackendConfig {
  /** What was given as `name=`, else the text HOST[:PORT]. */
  readonly name: string;
  /** A numeric address in its canonical form, or a host name in lower case. */
  readonly host: string;
  readonly port: number;
  /** 1 to 256. */
  readonly weight: number;
}

/** Durations in milliseconds. */
export interface HealthConfig {
  /** What is asked for; printable ASCII. */
  readonly file: string;
  /** 0 turns the checks off. */
  readonly interval: number;
  readonly timeout: number;
  /** Checks in a row that bring a backend up. */
  readonly rise: number;
  /** Checks in a row that take a backend down. */
  readonly fall: number;
  /** How long a backend that live traffic found bad is tried last. */
  readonly ejectTime: number;
}

export const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
export type LogLevel = (typeof logLevels)[number];

export interface LogConfig {
  readonly level: LogLevel;
}
