/**
 * What the data plane and the health checks tell: log, metrics and status subscribe, nobody else logs.
 * Every union in here is closed and is at the same time the metric label, the log field and the docs row.
 */
import type { FtpTlsEvent } from './ftp-tls-events.ts';
import type { BackendState, BackendWeight, HealthCheck, HealthOutput } from './backend-events.ts';
import type { UserMapEvent } from './user-map-events.ts';
import type { WorkerEvent } from './worker-events.ts';

export type { FtpTlsFault } from './ftp-tls-events.ts';
export type { WorkerDown, WorkerEvent, WorkerUp } from './worker-events.ts';

export { probeOutcomes } from './backend-events.ts';
export type {
  BackendState,
  BackendWeight,
  HealthCheck,
  HealthOutput,
  ProbeOutcome,
} from './backend-events.ts';

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
  'denied-address',
  'denied-name',
  'rate-per-client',
  'rate-per-prefix',
  'max-sessions',
  'max-sessions-per-client',
  'no-backend',
  'no-resources',
  /** A trusted proxy has not said in time, or not so that it can be read, whose connection it was. */
  'proxy-header',
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

/** One per TFTP session that was started; the session's line in the log. */
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
  /** The name that servers were asked for instead, likewise, where a route says so. */
  readonly forwarded?: string;
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

/** A TFTP request or an FTP connection that did not become a session. */
export interface SessionReject {
  readonly kind: 'session.reject';
  readonly service: string;
  /** Empty where the system did not say who it was, for want of descriptors. */
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

/** How an FTP transfer ended. Only `ok` means that the file arrived and that the client was told so. */
export const ftpTransferResults = [
  'ok',
  /** The backend answered with an error before its 1xx: no such file, no permission. */
  'refused',
  /** The backend answered with an error after its 1xx. */
  'backend-error',
  /** A data connection broke; the backend's without a reply that says why. */
  'client-reset',
  'backend-reset',
  'stalled',
  /** A data connection could not be opened. */
  'no-client-data',
  'no-backend-data',
  /** ABOR. */
  'client-abort',
  /** A control connection ended. */
  'client-lost',
  'backend-lost',
  /** The backend's final reply did not come. */
  'reply-timeout',
  'shutdown',
] as const;
export type FtpTransferResult = (typeof ftpTransferResults)[number];

/** Why an FTP session ended. */
export const ftpSessionEnds = [
  'quit',
  'client-closed',
  'client-reset',
  'backend-closed',
  'backend-reset',
  /** What the backend said cannot be followed. */
  'backend-protocol',
  'no-backend',
  /** This host had no port or descriptor left to reach a backend. */
  'no-resources',
  'login-timeout',
  'idle-timeout',
  'reply-timeout',
  'drained',
  'shutdown',
  /** The first line was an HTTP request. */
  'http',
  /** It was a header of the PROXY protocol, from somebody who is not trusted. */
  'proxy-header',
  /** Something stood behind AUTH in clear, which may be anybody's. */
  'tls-injection',
  /** A fault of the balancer: `error` has it. */
  'fault',
] as const;
export type FtpEnd = (typeof ftpSessionEnds)[number];

/** Why an FTP command was answered here and went to no backend. */
export const ftpRefusals = [
  'malformed',
  'unsupported',
  'bad-security',
  'tls-required',
  'denied',
  'read-only',
  'active-mode',
  'not-logged-in',
  'unknown-user',
  'other-user',
  'unknown-host',
  'epsv-all',
  'bad-endpoint',
  'foreign-address',
  'privileged-port',
  'no-listener',
  'no-data-channel',
] as const;
export type FtpRefusal = (typeof ftpRefusals)[number];

/** Why an FTP data connection did not come about. */
export const ftpDataRefusals = [
  /** Somebody else connected; the listener goes on waiting for the right one. */
  'foreign-peer',
  'no-ports',
  'no-resources',
  'refused',
  'timeout',
  'unreachable',
  /** It was open, and was reset before it was of use. */
  'closed',
] as const;
export type FtpDataRefusal = (typeof ftpDataRefusals)[number];

/** Which end listens for an FTP data connection: the server's (`passive`) or the client's (`active`). */
export type FtpDataMode = 'passive' | 'active';

/** Whose FTP session an event is about. */
interface OfFtpSession {
  readonly service: string;
  /** `address:port`, IPv6 in brackets; so too `vip`. */
  readonly client: string;
  readonly vip: string;
  /** The backend that was asked last; empty where there was none. */
  readonly backend: string;
}

/** A control connection was accepted. */
export interface FtpSessionStart {
  readonly kind: 'ftp.session.start';
  readonly service: string;
}

/** One per session that was started; the session's line in the log. */
export interface FtpSessionEnd extends OfFtpSession {
  readonly kind: 'ftp.session.end';
  /** As the client sent it, one character a byte (latin1), empty if it never did. Subscribers escape it. */
  readonly user: string;
  readonly isLoggedIn: boolean;
  /** Backends that were asked. */
  readonly tries: number;
  readonly commands: number;
  readonly transfers: number;
  /** Milliseconds. */
  readonly duration: number;
  readonly end: FtpEnd;
  readonly error?: string;
  /** Versions of TLS on the control connections; left out for one in clear. */
  readonly clientTls?: string;
  readonly backendTls?: string;
  /** Of the client's certificate, which was verified, one character a byte. Subscribers escape it. */
  readonly subject?: string;
}

/** One per transfer command that passed; the transfer's line in the log. */
export interface FtpTransfer extends OfFtpSession {
  readonly kind: 'ftp.transfer';
  /** As the client sent it, one character a byte (latin1); so too `path`. Subscribers escape them. */
  readonly user: string;
  readonly command: string;
  readonly path: string;
  readonly direction: 'download' | 'upload';
  /** A or I, as TYPE has it. */
  readonly type: string;
  readonly clientMode: FtpDataMode;
  /** Left out if it was never decided. */
  readonly backendMode?: FtpDataMode;
  /** P: the data connection was under TLS; C: it was in clear. */
  readonly clientLevel: 'C' | 'P';
  readonly backendLevel: 'C' | 'P';
  /** Payload that was written to the receiving side. */
  readonly bytes: number;
  /** Milliseconds from the command to its final reply. */
  readonly duration: number;
  readonly result: FtpTransferResult;
  /** Code of the final reply that the client was sent; left out if it was gone. */
  readonly code?: number;
}

/** A command was answered by the balancer in place of the backend. */
export interface FtpRefused extends OfFtpSession {
  readonly kind: 'ftp.refused';
  readonly reason: FtpRefusal;
  /** Whom the backend depends on, one character a byte; left out where it does not, or before USER. */
  readonly user?: string;
  /** As in FtpSessionEnd. */
  readonly subject?: string;
  /** In upper case; empty where there was none. */
  readonly command: string;
}

/** A data connection was turned away, or could not be had. */
export interface FtpDataRefused extends OfFtpSession {
  readonly kind: 'ftp.data-refused';
  readonly leg: 'client' | 'backend';
  readonly reason: FtpDataRefusal;
  /** Who it was that was turned away. */
  readonly peer?: string;
}

export type FtpEvent =
  | FtpSessionStart
  | FtpSessionEnd
  | FtpTransfer
  | FtpRefused
  | FtpDataRefused
  | FtpTlsEvent
  | UserMapEvent;

export type EngineEvent =
  | FtpEvent
  | SessionStart
  | SessionEnd
  | SessionReject
  | SessionResume
  | Failover
  | BackendSuspect
  | HealthDoubted
  | ListenerUp
  | ListenerDown;

export interface DiscoveryFailed {
  readonly kind: 'discovery.failed';
  readonly service: string;
  readonly source: string;
  readonly error: string;
}

export type Event =
  | EngineEvent
  | WorkerEvent
  | HealthCheck
  | HealthOutput
  | BackendState
  | BackendWeight
  | DiscoveryFailed;

export type Emit = (event: Event) => void;
