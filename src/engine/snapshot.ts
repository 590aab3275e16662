import type { Pool } from '../balance/pool.ts';

/**
 * What the control plane tells the data plane: plain data that survives structured cloning. A new snapshot
 * replaces the old one whole; running sessions keep the backend that they have.
 */
export interface Snapshot {
  /** Counts up with every change. */
  readonly version: number;
  readonly services: readonly TftpService[];
}

export interface TftpService {
  readonly kind: 'tftp';
  /** Row of the service in the scoreboard. */
  readonly index: number;
  readonly name: string;
  readonly listeners: readonly ListenerSpec[];
  readonly pool: Pool;
  readonly policy: PolicyName;
  readonly tids: TidMode;
  readonly requests: RequestRules;
  readonly limits: SessionLimits;
  readonly timing: TftpTiming;
}

export type PolicyName = 'round-robin';

/** `address` may be 0.0.0.0 or ::, which stand for every local address of their family. */
export interface ListenerSpec {
  readonly address: string;
  readonly port: number;
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
