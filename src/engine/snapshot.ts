import type { Pool } from '../balance/pool.ts';
import type { FtpCaps, FtpSessionOptions, FtpTimeouts, SecurityPolicy } from '../ftp/effects.ts';
import type { TlsClientOptions, TlsServerOptions } from '../net/tls.ts';
import type { Operation } from '../observe/events.ts';
import type { Network } from './network.ts';

/**
 * What the control plane tells the data plane: plain data that survives structured cloning. A new snapshot
 * replaces the old one whole; running sessions keep the backend that they have.
 */
export interface Snapshot {
  /** Counts up with every change. */
  readonly version: number;
  readonly services: readonly Service[];
}

export type Service = TftpService | FtpService;

interface AnyService {
  /** Row of the service in the scoreboard. */
  readonly index: number;
  readonly name: string;
  readonly listeners: readonly ListenerSpec[];
  readonly pool: Pool;
  readonly policy: PolicyName;
  readonly limits: SessionLimits;
  /** Everybody may do everything if left out. */
  readonly access?: AccessRules | undefined;
  readonly rates?: RequestRates | undefined;
  readonly affinity?: Affinity | undefined;
}

export interface TftpService extends AnyService {
  readonly kind: 'tftp';
  readonly tids: TidMode;
  readonly requests: RequestRules;
  /** The first that is for a request counts. */
  readonly routes?: readonly Route[] | undefined;
  readonly timing: TftpTiming;
}

export interface FtpService extends AnyService {
  readonly kind: 'ftp';
  readonly commands: CommandRules;
  readonly data: DataRules;
  /**
   * The sound text of a user map (ftp/user-map.ts), if users have backends of their own. It is a text since that is
   * copied to workers in no time, and a changed one is told from the old one as fast.
   */
  readonly userMap?: string;
  readonly userMapKey: UserMapKey;
  readonly tls: FtpTlsRules;
  readonly proxy: ProxyRules;
  /** Who has which of `data.passivePorts`: made by createPassivePool, and all workers take from it. */
  readonly passivePool: SharedArrayBuffer;
  readonly timing: FtpTiming;
}

export type PolicyName =
  | 'round-robin'
  | 'least-sessions'
  | 'two-choices'
  | 'source-hash'
  | 'file-hash'
  | 'user-hash'
  | 'first';

/** What a user map knows users by: the name in USER, or the subject of the client's certificate (RFC 4514). */
export type UserMapKey = 'user' | 'subject';

/** `address` may be 0.0.0.0 or ::, which stand for every local address of their family. */
export interface ListenerSpec {
  readonly address: string;
  readonly port: number;
  /** Whether several workers listen there; not so if left out. */
  readonly isShared?: boolean;
  /** FTP: whether connections are under TLS from their beginning; not so if left out. */
  readonly isImplicit?: boolean;
}

/** Where replies to clients come from: a VIP TID per session (RFC 1350) or the listening port itself. */
export type TidMode =
  | { readonly kind: 'ephemeral'; readonly ports: PortRange | undefined }
  | { readonly kind: 'single-port' };

/** Inclusive on both sides. */
export interface PortRange {
  readonly first: number;
  readonly last: number;
}

export interface RequestRules {
  readonly readOnly: boolean;
  /** Largest blksize that is let through; `auto` derives it from the MTU of the VIP's interface. */
  readonly maxBlksize: number | 'auto' | undefined;
  readonly maxWindowsize: number | undefined;
  /** Removes the `multicast` option (RFC 2090) where another option stays. */
  readonly stripMulticast: boolean;
  /** Asks the other backends before ERROR 1 reaches the client. */
  readonly retryNotFound: boolean;
  /** Accepts the first reply from any address (multi-homed servers). */
  readonly backendAnyAddress: boolean;
  /** Backends see the client's address rather than this host's. */
  readonly transparent: boolean;
}

/** 0 means no limit. */
export interface SessionLimits {
  readonly total: number;
  readonly perClient: number;
  readonly perBackend: number;
  /** Also for what `rates` refuse; `error` if left out. */
  readonly answer?: RefusalAnswer | undefined;
}

/** Whether TFTP clients hear of a refusal. FTP clients always do. */
export type RefusalAnswer = 'error' | 'silent';

/** Who may use a service. */
export interface AccessRules {
  /** Everybody if empty. */
  readonly allow: readonly Network[];
  /** Counts before `allow`. */
  readonly deny: readonly Network[];
  /** Which files may be asked for, TFTP alone; all if left out. */
  readonly files?: FileRules | undefined;
  /** Also for what `files` refuse; `error` if left out. */
  readonly answer?: RefusalAnswer | undefined;
}

/** Patterns of names, see glob.ts. */
export interface FileRules {
  /** Every name if empty. */
  readonly allow: readonly string[];
  /** Counts before `allow`. */
  readonly deny: readonly string[];
}

/** How often somebody may ask. */
export interface RequestRate {
  readonly perSecond: number;
  /** Requests that may come at once after a silence. */
  readonly burst: number;
}

/** A rate, and who has how much of it left, in memory that all workers share: made by createRateTable. */
export interface SharedRate extends RequestRate {
  readonly table: SharedArrayBuffer;
}

/** What is left out has no bound. */
export interface RequestRates {
  readonly perClient?: SharedRate | undefined;
  /** For all clients together whose addresses begin with as many bits. */
  readonly perPrefix?: (SharedRate & { readonly ipv4: number; readonly ipv6: number }) | undefined;
}

/** A client stays with its backend. */
export interface Affinity {
  /** Milliseconds from the end of its last session. */
  readonly duration: number;
  /** The same for services that send a client to the same backend, by its name. */
  readonly key: number;
  /** Which backend each client has: made by createAffinityTable. All workers and services share it. */
  readonly table: SharedArrayBuffer;
}

/** What becomes of requests of one kind. */
export interface Route {
  /** Both if left out. */
  readonly op?: Operation | undefined;
  /** Patterns of the names that it is for, see glob.ts; every name if left out. */
  readonly files?: readonly string[] | undefined;
  /** Names of the backends that alone serve it, where a host name stands for all of its addresses; all if left out. */
  readonly backends?: readonly string[] | undefined;
  /** What backends are asked for instead, see rewrite.ts; the name as it came if left out. */
  readonly rewrite?: string | undefined;
  /** Row of the scoreboard that has its turns alone. */
  readonly row: number;
}

/** Milliseconds. */
export interface TftpTiming {
  /** Silence after which another backend is tried. */
  readonly tryInterval: number;
  /** How long a session may be silent in its data phase. */
  readonly idleTimeout: number;
}

/** Which commands of FTP clients pass, and how much may be said. */
export interface CommandRules {
  readonly readOnly: boolean;
  /** Verbs that get 550, in upper case. */
  readonly denied: readonly string[];
  /** Commands of one client that may wait behind the one that runs. */
  readonly maxWaiting: number;
  readonly caps: FtpCaps;
}

/** How FTP's data connections are made; the words of four fields are explained in FtpSessionOptions. */
export interface DataRules {
  readonly clientModes: FtpSessionOptions['clientModes'];
  readonly backendData: FtpSessionOptions['backendData'];
  readonly portAddress: FtpSessionOptions['portAddress'];
  readonly backendPasvAddress: FtpSessionOptions['backendPasvAddress'];
  /** Where passive clients connect to; undefined leaves each port to the system. */
  readonly passivePorts: PortRange | undefined;
  /**
   * The IPv4 address that a client of the network is told with PASV, the first that fits. Without one it is told the
   * address that its control connection reached.
   */
  readonly advertised: readonly AdvertisedAddress[];
}

/** Where TLS is wanted in an FTP service, and what it is done with. */
export interface FtpTlsRules {
  /** All bytes of control connections are carried as they are: TLS, if any, is between clients and backends. */
  readonly isPassthrough: boolean;
  readonly policy: Omit<SecurityPolicy, 'isClientImplicit'>;
  /** Undefined where no client can have TLS; so too `client` for backends. */
  readonly server: TlsServerOptions | undefined;
  readonly client: TlsClientOptions | undefined;
  /** The name that certificates of backends must have; undefined stands for the host or address of each. */
  readonly serverName: string | undefined;
}

/** The PROXY protocol on control connections. */
export interface ProxyRules {
  /** Where connections come from that have to begin with a header. */
  readonly trusted: readonly Network[];
  /** Version of the header that backends are sent; undefined is none. */
  readonly version: 1 | 2 | undefined;
  /** Milliseconds for a header to come. */
  readonly timeout: number;
}

export interface AdvertisedAddress {
  /** Undefined stands for every client. */
  readonly network: Network | undefined;
  readonly address: string;
}

/** Milliseconds. */
export interface FtpTiming extends FtpTimeouts {
  /** To reach a backend, before the next one is tried. */
  readonly connect: number;
  /** How long no byte may move in a transfer. */
  readonly stall: number;
}
