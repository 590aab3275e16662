/** What the admin endpoints ask of the balancer: how it stands, as plain data. Durations in seconds, as in metrics. */
import type { OperatorMode } from '../health/orders.ts';
import type { WorkerStatus } from '../runtime/data-plane.ts';

export interface StatusSource {
  readiness(): Readiness;
  status(): Status;
}

/** Ready when the first round of checks is over, at least one service can serve, and the balancer is not draining. */
export interface Readiness {
  readonly ready: boolean;
  /** Why it is not ready; empty if it is. */
  readonly reasons: readonly string[];
  readonly services: readonly ServiceReadiness[];
}

export interface ServiceReadiness {
  readonly service: string;
  readonly ready: boolean;
  readonly reasons: readonly string[];
}

export interface Status {
  readonly version: string;
  /** What serves TFTP, and why. */
  readonly engine: { readonly name: 'portable' | 'linux'; readonly reason: string };
  readonly uptime: number;
  readonly draining: boolean;
  /** Empty where the engines have no threads of their own. */
  readonly workers: readonly WorkerStatus[];
  readonly services: readonly ServiceStatus[];
}

export interface ServiceStatus {
  readonly name: string;
  readonly kind: 'tftp' | 'ftp';
  /** Sessions that have not ended. */
  readonly sessions: number;
  /** `address:port`, IPv6 in brackets. */
  readonly listeners: readonly string[];
  readonly backends: readonly BackendStatus[];
}

/** How a backend stands, in one word: the first that fits, from below. */
export const backendStates = [
  /** It has its whole share. */
  'up',
  /** It has come back, and has a part of its share. */
  'warming',
  /** Live traffic found it bad: it is tried last. */
  'ejected',
  /** Health checks find it down. */
  'down',
  /** The operator wants no new sessions there, and some are left. */
  'draining',
  /** None is left. */
  'drained',
  /** The operator wants no new sessions there, and no health checks. */
  'disabled',
] as const;
export type StateWord = (typeof backendStates)[number];

export interface BackendStatus {
  readonly name: string;
  readonly address: string;
  readonly port: number;
  readonly state: StateWord;
  /** Relative to the others, as configured or as the operator has set it. */
  readonly weight: number;
  /** As configured. */
  readonly configuredWeight: number;
  /** What it counts now: less than `weight` while it warms up. */
  readonly effectiveWeight: number;
  readonly operator: OperatorMode;
  readonly up: boolean;
  readonly enabled: boolean;
  readonly ejected: boolean;
  readonly sessions: number;
  readonly bytesToClient: number;
  readonly bytesToBackend: number;
  readonly datagramsToClient: number;
  readonly datagramsToBackend: number;
}
