import type { Pool } from '../balance/pool.ts';
import type { FtpCaps, FtpSessionOptions, FtpTimeouts } from '../ftp/effects.ts';
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
}

export interface TftpService extends AnyService {
  readonly kind: 'tftp';
  readonly tids: TidMode;
  readonly requests: RequestRules;
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

/** `address` may be 0.0.0.0 or ::, which stand for every local address of their family. */
export interface ListenerSpec {
  readonly address: string;
  readonly port: number;
  /** Whether several workers listen there; not so if left out. */
  readonly isShared?: boolean;
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
