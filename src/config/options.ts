import type {
  AdvertisedAddress,
  DataRules,
  ListenerSpec,
  PolicyName,
  PortRange,
} from '../engine/snapshot.ts';
import type { BackendSpec } from './backend.ts';
import type { EngineName, LogLevel, ProbeSpec } from './config.ts';

/** What the options of schema.ts say, defaults filled in. Durations in milliseconds; what is off is undefined. */
export interface Options {
  readonly vip: readonly string[];
  readonly tftp: boolean;
  readonly ftp: boolean;
  readonly tftpPort: number;
  readonly ftpPort: number;
  readonly singlePort: boolean;
  readonly tidPorts?: PortRange | undefined;
  readonly backend: readonly BackendSpec[];
  readonly tftpBackend: readonly BackendSpec[];
  readonly ftpBackend: readonly BackendSpec[];
  readonly readOnly: boolean;
  readonly policy: PolicyName;
  readonly maxBlksize?: number | 'auto' | undefined;
  readonly maxWindowsize?: number | undefined;
  readonly stripMulticast: boolean;
  readonly retryNotFound: boolean;
  readonly backendAnyAddress: boolean;
  readonly transparent: boolean;
  readonly tryInterval: number;
  readonly idleTimeout: number;
  readonly ftpPolicy: PolicyName;
  readonly ftpModes: DataRules['clientModes'];
  readonly backendData: DataRules['backendData'];
  readonly passivePorts?: PortRange | undefined;
  readonly passiveAddress: readonly AdvertisedAddress[];
  readonly portAddress: DataRules['portAddress'];
  readonly backendPasvAddress: DataRules['backendPasvAddress'];
  readonly ftpDeny?: readonly string[] | undefined;
  readonly ftpMaxWaiting: number;
  readonly ftpMaxLine: number;
  readonly ftpMaxReplyLine: number;
  readonly ftpMaxReply: number;
  readonly ftpMaxReplyLines: number;
  readonly ftpConnectTimeout: number;
  readonly ftpGreetingTimeout: number;
  readonly ftpLoginTimeout: number;
  readonly ftpIdleTimeout: number;
  readonly ftpAcceptTimeout: number;
  readonly ftpDataTimeout: number;
  readonly ftpStallTimeout: number;
  readonly ftpReplyTimeout: number;
  readonly xferlog?: string | undefined;
  readonly maxSessions: number;
  readonly maxSessionsPerClient: number;
  readonly maxSessionsPerBackend: number;
  readonly ftpMaxSessions: number;
  readonly ftpMaxSessionsPerClient: number;
  readonly ftpMaxSessionsPerBackend: number;
  readonly healthFile: string;
  readonly ftpHealthUser?: string | undefined;
  readonly ftpHealthPassword?: string | undefined;
  readonly ftpHealthPasswordFile?: string | undefined;
  readonly healthInterval: number;
  readonly healthTimeout: number;
  readonly healthRise: number;
  readonly healthFall: number;
  readonly ejectTime: number;
  readonly tftpHealthProbe: ProbeSpec;
  readonly ftpHealthProbe: ProbeSpec;
  readonly healthSha256?: string | undefined;
  readonly ejectErrors: number;
  readonly slowStart: number;
  readonly resolveInterval: number;
  readonly admin?: ListenerSpec | undefined;
  readonly logLevel: LogLevel;
  readonly drainTimeout: number;
  readonly workers: number | 'auto';
  readonly engine: EngineName;
  readonly busyPoll: number;
  readonly adminSocket?: string | undefined;
  readonly adminTokenFile?: string | undefined;
}

export type OptionKey = keyof Options;

export const optionGroups = [
  'Addresses',
  'Backends',
  'Both protocols',
  'TFTP',
  'FTP',
  'Limits',
  'Health',
  'Operation',
] as const;
export type OptionGroup = (typeof optionGroups)[number];

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
}
