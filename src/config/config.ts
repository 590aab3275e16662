import type { Network } from '../engine/network.ts';
import type { SecurityPolicy } from '../ftp/effects.ts';
import type { TlsServerOptions } from '../net/tls.ts';
import type {
  AccessRules,
  CommandRules,
  DataRules,
  FtpTiming,
  ListenerSpec,
  PolicyName,
  RequestRate,
  RequestRules,
  Route,
  SessionLimits,
  TftpTiming,
  TidMode,
  UserMapKey,
} from '../engine/snapshot.ts';

/** What one run of the balancer is told: plain data, every default filled in, every rule of schema.ts kept. */
export interface Config {
  /** At least one; names differ. */
  readonly services: readonly ServiceConfig[];
  readonly admin: AdminConfig;
  readonly log: LogConfig;
  /** Milliseconds that running sessions get to finish in once the balancer is told to stop. */
  readonly drainTimeout: number;
  /** Threads that serve clients; `auto` is one for each core. */
  readonly workers: number | 'auto';
  readonly engine: EngineName;
  /** Microseconds for which the Linux engine polls before it blocks. */
  readonly busyPoll: number;
}

export interface AdminConfig {
  /** Where the admin endpoints listen; port 0 lets the system choose. Undefined turns them off. */
  readonly listen: ListenerSpec | undefined;
  /** Path of the unix socket that changes are asked for at; `auto` is in the runtime directory, undefined is none. */
  readonly socket: string | undefined;
  /** Where the token is that lets `listen` make changes, too; undefined leaves it at showing. */
  readonly tokenFile: string | undefined;
}

export const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
export type LogLevel = (typeof logLevels)[number];

export interface LogConfig {
  readonly level: LogLevel;
}

/** What serves TFTP; `auto` is the best that works here. */
export const engineNames = ['auto', 'portable', 'linux'] as const;
export type EngineName = (typeof engineNames)[number];

export type ServiceConfig = TftpServiceConfig | FtpServiceConfig;

interface AnyServiceConfig {
  readonly name: string;
  /** Port 0 lets the system choose. */
  readonly listeners: readonly ListenerSpec[];
  /** Names differ. Empty where discovery finds them. */
  readonly backends: readonly BackendConfig[];
  readonly discovery: DiscoveryConfig;
  readonly policy: PolicyName;
  readonly limits: SessionLimits;
  readonly access?: AccessRules | undefined;
  readonly rates?: RatesConfig | undefined;
  readonly affinity?: AffinityConfig | undefined;
}

/** What is left out has no bound. */
export interface RatesConfig {
  readonly perClient?: RequestRate | undefined;
  /** `ipv4` and `ipv6` are leading bits. */
  readonly perPrefix?: (RequestRate & { readonly ipv4: number; readonly ipv6: number }) | undefined;
}

export interface AffinityConfig {
  /** Milliseconds from the end of a client's last session. */
  readonly duration: number;
  /** Whose services send a client to the same backend; those with the same names of backends, if left out. */
  readonly group?: string | undefined;
}

/** See Route. */
export type RouteConfig = Omit<Route, 'row'>;

export interface TftpServiceConfig extends AnyServiceConfig {
  readonly kind: 'tftp';
  readonly tids: TidMode;
  readonly requests: RequestRules;
  readonly routes?: readonly RouteConfig[] | undefined;
  readonly timing: TftpTiming;
  readonly health: TftpHealthConfig;
}

export interface FtpServiceConfig extends AnyServiceConfig {
  readonly kind: 'ftp';
  readonly commands: CommandRules;
  readonly data: DataRules;
  readonly timing: FtpTiming;
  readonly health: FtpHealthConfig;
  /** Path of the map of users to backends; left out, all backends serve all users. */
  readonly userMap?: string;
  readonly userMapKey: UserMapKey;
  /** Path of the log of transfers. */
  readonly xferlog: string | undefined;
  readonly tls: FtpTlsConfig;
  readonly proxy: FtpProxyConfig;
}

/** What is under TLS, and with which files. */
export interface FtpTlsConfig {
  readonly mode: 'off' | 'allowed' | 'required' | 'passthrough';
  readonly client: {
    readonly keyPairs: readonly KeyPairPaths[];
    readonly ca: string | undefined;
    readonly certificate: TlsServerOptions['clientCertificate'];
    readonly minVersion: TlsServerOptions['minVersion'];
    readonly isDataRequired: boolean;
    readonly dataResumption: TlsServerOptions['dataResumption'];
    readonly eof: TlsServerOptions['eof'];
    /** Milliseconds, for servers too. */
    readonly handshakeTimeout: number;
  };
  readonly backend: {
    readonly mode: SecurityPolicy['backend'];
    readonly isImplicit: boolean;
    readonly ca: string | undefined;
    readonly serverName: string | undefined;
    readonly isVerified: boolean;
    readonly minVersion: TlsServerOptions['minVersion'];
    readonly data: SecurityPolicy['backendData'];
  };
}

/** Paths of PEM files; both may be the same. */
export interface KeyPairPaths {
  readonly certificate: string;
  readonly key: string;
}

/** The PROXY protocol on control connections. */
export interface FtpProxyConfig {
  /** Whose header counts, and who has to have one. */
  readonly trusted: readonly Network[];
  /** Of the header that backends get; undefined is none. */
  readonly version: 1 | 2 | undefined;
  /** Milliseconds for a header to come. */
  readonly timeout: number;
}

/** By what TFTP's transfers can be shared out. */
export const tftpPolicies: readonly PolicyName[] = [
  'round-robin',
  'least-sessions',
  'two-choices',
  'source-hash',
  'file-hash',
  'first',
];
/** By what FTP's sessions can be. */
export const ftpPolicies: readonly PolicyName[] = [
  'round-robin',
  'least-sessions',
  'two-choices',
  'source-hash',
  'user-hash',
  'first',
];

/** A backend as the operator wrote it: a host name stands for all the addresses that it resolves to. */
export interface BackendConfig {
  /** What was given as its name, else HOST[:PORT] as written. */
  readonly name: string;
  /** A numeric address in its canonical form, or a host name in lower case. */
  readonly host: string;
  readonly port: number;
  /** 1 to 256. */
  readonly weight: number;
}

/** Where backends come from that are not listed: one of `dns` and `file` at most. Durations in milliseconds. */
export interface DiscoveryConfig {
  /** Between two resolutions of a backend's host name. */
  readonly resolveInterval: number;
  /** How long a source is not believed that there are no backends. */
  readonly emptyGrace: number;
  readonly dns?: DnsConfig | undefined;
  readonly file?: ListFileConfig | undefined;
}

/** Durations in milliseconds. */
export interface DnsConfig {
  /** A whole name: nothing is added to it. */
  readonly name: string;
  readonly records: 'address' | 'srv';
  /** Of backends whose records have none. */
  readonly port: number;
  readonly family: 4 | 6 | undefined;
  /** Who is asked; those of the system if empty. */
  readonly servers: readonly ListenerSpec[];
  /** Bounds of the time from one look to the next. */
  readonly minInterval: number;
  readonly maxInterval: number;
}

export interface ListFileConfig {
  readonly path: string;
  /** Of backends that the file gives none. */
  readonly port: number;
  /** Milliseconds between two looks at the file where the system tells nothing of changes. */
  readonly pollInterval: number;
}

/** Durations in milliseconds. */
export interface HealthConfig {
  /** 0 turns the checks off. */
  readonly interval: number;
  readonly timeout: number;
  /** Checks in a row that bring a backend up. */
  readonly rise: number;
  /** Checks in a row that take a backend down. */
  readonly fall: number;
  /** How long a backend that live traffic found bad is tried last, the first time. */
  readonly ejectTime: number;
  /** Failures in a row that eject a backend; 0 is no limit. */
  readonly ejectErrors: number;
  /** How long a backend that comes back takes to its full weight; 0 is at once. */
  readonly slowStart: number;
  readonly probe: ProbeSpec;
}

/** How backends are checked. */
export type ProbeSpec =
  /** As clients of their protocol. */
  | { readonly kind: 'protocol' }
  /** Connects; undefined is the port that the backend serves at. */
  | { readonly kind: 'tcp'; readonly port: number | undefined }
  /** An absolute path. `{name}`, `{address}` and `{port}` in arguments stand for those of the backend. */
  | { readonly kind: 'exec'; readonly program: string; readonly args: readonly string[] };

export interface TftpHealthConfig extends HealthConfig {
  /** What is asked for; printable ASCII. */
  readonly file: string;
  /** What the digest of its content has to be, in lower case; undefined takes any answer for a sign of life. */
  readonly sha256: string | undefined;
}

export interface FtpHealthConfig extends HealthConfig {
  /** Whom the checks log in as; undefined leaves it at the greeting. */
  readonly user: string | undefined;
  /** Not to be shown. */
  readonly password: string | undefined;
  /** Where it is read from if it is not given. */
  readonly passwordFile: string | undefined;
}
