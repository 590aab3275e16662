/**
 * What the data plane and the health checks tell: log, metrics and status subscribe, nobody else logs.
 * Every union in here is closed and is at the same time the metric label, the log field and the docs row.
 */

/** How a transfer ended. Only `ok` and `ok-unacked` mean that the file arrived. */
export const transferResults = [
  'ok',
  'ok-unacked',
  'client-abort',
  'not-found',
  'denied',
  'error',
  'timeout',
  'no-backend',
] as const;
export type TransferResult = (typeof transferResults)[number];

/** Why a request never became a session. */
export const rejectReasons = [
  'malformed',
  'read-only',
  'forbidden-name',
  'max-sessions',
  'max-sessions-per-client',
  'no-backend',
  'no-resources',
  'draining',
] as const;
export type RejectReason = (typeof rejectReasons)[number];

/** Why a datagram was not relayed. */
export const dropReasons = [
  'malformed',
  'foreign-client',
  'foreign-backend',
  'unknown-session',
  'unexpected-first-reply',
  'repeated-request',
  'unproven-client',
  'after-error',
  'send-failed',
] as const;
export type DropReason = (typeof dropReasons)[number];

/** Why a backend was given up for one request. */
export const failoverReasons = ['refused', 'silent', 'not-found', 'no-resources'] as const;
export type FailoverReason = (typeof failoverReasons)[number];

export type Operation = 'read' | 'write';

export interface SessionStart {
  readonly kind: 'session.start';
  readonly service: string;
  readonly op: Operation;
}

/** One per session that was started; the session's line in the log. */
export interface SessionEnd {
  readonly kind: 'session.end';
  readonly service: string;
  /** `address:port`, IPv6 in brackets; so too `vip`. */
  readonly client: string;
  readonly vip: string;
  /** The backend that answered or was tried last. */
  readonly backend: string;
  readonly op: Operation;
  /** The name as the client sent it, one character a byte (latin1). Subscribers escape it. */
  readonly file: string;
  readonly mode: string;
  readonly asked: Readonly<Record<string, string>>;
  readonly granted: Readonly<Record<string, string>>;
  /** Payload that was relayed, repeats not counted. */
  readonly bytes: number;
  /** DATA packets that were relayed, repeats not counted. */
  readonly blocks: number;
  /** Datagrams that were relayed or swallowed a second time, in both directions. */
  readonly repeats: number;
  /** Backends that were asked. */
  readonly tries: number;
  /** Milliseconds from the request to the end. */
  readonly duration: number;
  readonly result: TransferResult;
  /** The ERROR packet that ended it, if one did. */
  readonly error?: {
    readonly from: 'client' | 'backend' | 'balancer';
    readonly code: number;
    readonly message: string;
  };
}

export interface SessionReject {
  readonly kind: 'session.reject';
  readonly service: string;
  readonly client: string;
  readonly vip: string;
  readonly reason: RejectReason;
  readonly file?: string;
}

/** A transfer went on after its end had been reported. */
export interface SessionResume {
  readonly kind: 'session.resume';
  readonly service: string;
  readonly client: string;
  readonly file: string;
}

export interface Failover {
  readonly kind: 'session.failover';
  readonly service: string;
  readonly client: string;
  readonly from: string;
  readonly to: string;
  readonly reason: FailoverReason;
}

/** Live traffic says that a backend is bad: it is marked as ejected in the scoreboard already. */
export interface BackendSuspect {
  readonly kind: 'backend.suspect';
  readonly service: string;
  readonly backend: string;
  readonly index: number;
  readonly reason: 'refused' | 'silent';
}

/** Every enabled backend is down by its health checks, and one was picked all the same. */
export interface HealthDoubted {
  readonly kind: 'health.doubted';
  readonly service: string;
}

export interface ListenerUp {
  readonly kind: 'listener.up';
  readonly service: string;
  readonly listener: string;
}

export interface ListenerDown {
  readonly kind: 'listener.down';
  readonly service: string;
  readonly listener: string;
  readonly error?: string;
}

export type EngineEvent =
  | SessionStart
  | SessionEnd
  | SessionReject
  | SessionResume
  | Failover
  | BackendSuspect
  | HealthDoubted
  | ListenerUp
  | ListenerDown;

/** How one health check ended. */
export const probeOutcomes = [
  'alive',
  'timeout',
  'refused',
  'malformed',
  /** FTP: the user of the checks could not log in. */
  'login-refused',
  /** FTP: no listing could be fetched. */
  'no-data',
  'failed',
] as const;
export type ProbeOutcome = (typeof probeOutcomes)[number];

export interface HealthCheck {
  readonly kind: 'health.check';
  readonly service: string;
  readonly backend: string;
  readonly outcome: ProbeOutcome;
  /** Milliseconds. */
  readonly duration: number;
}

export interface BackendState {
  readonly kind: 'backend.state';
  readonly service: string;
  readonly backend: string;
  readonly address: string;
  readonly from: string;
  readonly to: 'up' | 'down' | 'ejected' | 'readmitted' | 'added' | 'removed';
  readonly reason: string;
}

export interface DiscoveryFailed {
  readonly kind: 'discovery.failed';
  readonly service: string;
  readonly source: string;
  readonly error: string;
}

export type Event = EngineEvent | HealthCheck | BackendState | DiscoveryFailed;

export type Emit = (event: Event) => void;
