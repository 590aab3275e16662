/**
 * The border between an FTP session (session.ts, which decides) and the engine that owns its sockets (which obeys).
 *
 *   engine ── FtpInputs ──▶ FtpSession ── FtpEffects ──▶ engine
 *
 * Rules
 *  1. An effect never calls the machine back before it has returned. What it causes is told later, as an input.
 *  2. Times are milliseconds of one monotonic clock. The engine calls `onTimer` when `deadline` has passed; `deadline`
 *     may change with every input.
 *  3. Whatever belongs to one data connection pair carries its generation, a number that is never used twice in a
 *     session. An input of a generation that is over is ignored.
 *  4. A generation has a client leg and a backend leg. Each leg is opened once, by the one effect that asked for it.
 *  5. After `sessionEnded` no effect follows and every input is ignored.
 */

export {
  defaultFtpCaps,
  defaultFtpTimeouts,
  type FtpCaps,
  type FtpSessionOptions,
  type FtpTimeouts,
} from './session-options.ts';

/** Where a data connection goes to or comes in. `address` is numeric. */
export interface DataAddress {
  readonly address: string;
  readonly port: number;
}

/** Where the backend listens. No address means that of its control connection. */
export interface BackendDataAddress {
  readonly address: string | undefined;
  readonly port: number;
}

/** Which way the bytes of a transfer flow: `download` is from the backend to the client. */
export type Direction = 'download' | 'upload';

/** Which end of a data connection listens: the server's (`passive`) or the client's (`active`). */
export type DataMode = 'passive' | 'active';

/**
 * How a relay ended. `clean` means all of this: the sender ended with a FIN (under TLS with close_notify in front of
 * it), every byte was written to the receiver and has left this process, the receiver was sent a FIN behind it, and it
 * has not reset its connection up to its own FIN or the end of the time that it is given for one. Everything else is
 * one of the other four; then both legs have been reset, or the client's is about to be.
 */
export type RelayEnd =
  | 'clean'
  /** The client's leg was reset, failed, or ended without its proper end. */
  | 'client-reset'
  /** So did the backend's. */
  | 'backend-reset'
  /** The engine gave it up, for want of resources or because it is closing. */
  | 'aborted'
  /** No byte moved for too long. */
  | 'stalled';

export interface RelayOutcome {
  readonly end: RelayEnd;
  /** Payload that was written to the receiving leg. */
  readonly bytes: number;
}

/** Why a data connection could not be had. `no-ports`: none is left of the passive ports. */
export type DataFailure = 'refused' | 'timeout' | 'unreachable' | 'closed' | 'no-ports' | 'no-resources';

/** Why the machine has the data connections of a generation broken. */
export type DataAbort =
  /** The client asked for another data connection, or logged in anew. */
  | 'replaced'
  /** Nobody connected in time. */
  | 'unused'
  /** ABOR. */
  | 'abor'
  /** The other leg could not be opened. */
  | 'other-leg'
  /** The backend refused the transfer, and its data connection did not end in time. */
  | 'refused'
  /** The session ended. */
  | 'session-end';

/** How a control connection is closed: `fin` sends what is pending first, `reset` throws it away. */
export type CloseHow = 'fin' | 'reset';

/** Why a backend was given up before the client had seen anything of it. */
export type GreetingFailure =
  /** Nothing was said in time. */
  | 'silent'
  /** It closed or reset the connection. */
  | 'closed'
  /** It said something that is no FTP. */
  | 'malformed'
  /** It said that it does not want the session (any reply but 120, 220 and 230). */
  | 'refused';

/** Why a command was answered here and went to no backend. Closed: it is a metric label. */
export const ftpRefusals = [
  /** No command at all: an over-long line, NUL, CR, or no verb. */
  'malformed',
  /** AUTH, P@SW and the like. */
  'unsupported',
  'denied',
  'read-only',
  /** PORT and EPRT where only passive clients are served. */
  'active-mode',
  'not-logged-in',
  /** USER of somebody whom no backend serves. */
  'unknown-user',
  /** USER of somebody else where the backend depends on the user, behind a login or behind many users. */
  'other-user',
  /** HOST that the user's backend does not know. */
  'unknown-host',
  'epsv-all',
  /** Syntax, protocol or family of PORT, EPRT, EPSV; PASV over IPv6. */
  'bad-endpoint',
  /** PORT or EPRT to somebody else. */
  'foreign-address',
  /** PORT or EPRT to a port below 1024. */
  'privileged-port',
  /** PASV or EPSV with no port left, or no descriptor. */
  'no-listener',
  /** A transfer without PORT, EPRT, PASV or EPSV in front of it. */
  'no-data-channel',
] as const;
export type FtpRefusal = (typeof ftpRefusals)[number];

/** How a transfer ended. Only `ok` means that the file arrived and that the client was told so. */
export const ftpTransferResults = [
  'ok',
  /** The backend answered with an error before its 1xx: no such file, no permission. */
  'refused',
  /** The backend answered with an error after its 1xx. */
  'backend-error',
  /** The client's data connection broke. */
  'client-reset',
  /** The backend's did, and its reply does not say why. */
  'backend-reset',
  'stalled',
  /** The client's data connection could not be opened. */
  'no-client-data',
  /** The backend's could not, and its reply does not say why. */
  'no-backend-data',
  /** ABOR. */
  'client-abort',
  /** The client's control connection ended. */
  'client-lost',
  /** The backend's control connection ended, or it broke the protocol. */
  'backend-lost',
  /** The backend's final reply did not come. */
  'reply-timeout',
  /** The balancer is closing, or had no resources. */
  'shutdown',
] as const;
export type FtpTransferResult = (typeof ftpTransferResults)[number];

/** One transfer command that passed the filters, told when it is over; with `ok` or not, exactly once. */
export interface TransferRecord {
  readonly verb: string;
  /** The argument as the client sent it, one character a byte (latin1), not escaped. */
  readonly path: string;
  /** As in the last USER; empty if the client never said one. */
  readonly user: string;
  readonly direction: Direction;
  /** A or I, as the last TYPE that the backend accepted. */
  readonly type: string;
  readonly clientMode: DataMode;
  /** Undefined if it was never decided. */
  readonly backendMode: DataMode | undefined;
  readonly generation: number;
  readonly bytes: number;
  readonly startedAt: number;
  readonly endedAt: number;
  readonly result: FtpTransferResult;
  /** Code of the final reply that the client was sent; undefined if it was gone. */
  readonly code: number | undefined;
}

/** Why a session ended. */
export const ftpSessionEnds = [
  'quit',
  'client-closed',
  'client-reset',
  /** The backend said 421 or closed. */
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
] as const;
export type FtpSessionEnd = (typeof ftpSessionEnds)[number];

/** Why no backend could be had. */
export type NoBackend = Extract<FtpSessionEnd, 'no-backend' | 'no-resources'>;

export interface SessionRecord {
  readonly end: FtpSessionEnd;
  readonly user: string;
  /** Whether the backend accepted a login. */
  readonly isLoggedIn: boolean;
  /** Backends that were asked. */
  readonly tries: number;
  readonly commands: number;
  readonly transfers: number;
  readonly startedAt: number;
  readonly endedAt: number;
}

/** What the engine tells a session. `now` is the time at which it is told. */
export interface FtpInputs {
  /** When `onTimer` is due; Infinity if nothing is waited for. */
  readonly deadline: number;

  /** The client's connection was accepted. Called once, first of all. */
  start(now: number): void;
  onTimer(now: number): void;
  /** Takes no new work: an idle session ends at once, a busy one after its final reply. */
  drain(now: number): void;
  /** Ends the session now. An open transfer is broken and answered with 426. */
  shutdown(now: number): void;

  /** `bytes` belong to the machine from now on. They may come at any time, also before there is a backend. */
  onClientBytes(bytes: Uint8Array, now: number): void;
  /** The client sent its FIN. */
  onClientEnd(now: number): void;
  onClientReset(now: number): void;
  /** What `toClient` returned false for has gone to the system. */
  onClientDrain(now: number): void;

  /** The answer to `connectBackend`: one of these four. */
  onBackendConnected(now: number): void;
  /** The backend that was picked could not be reached; the engine has reported why. The machine asks for the next. */
  onBackendUnavailable(now: number): void;
  /** Nobody is left to ask, or nobody can be asked. */
  onNoBackend(reason: NoBackend, now: number): void;
  /** Nobody serves that user, and nobody was asked. */
  onUnknownUser(now: number): void;
  /** `bytes` belong to the machine from now on. */
  onBackendBytes(bytes: Uint8Array, now: number): void;
  onBackendEnd(now: number): void;
  onBackendReset(now: number): void;

  /** The answer to `listenForClient`: `at` is what the client is told. */
  onClientListening(generation: number, at: DataAddress, now: number): void;
  onClientListenFailed(generation: number, failure: DataFailure, now: number): void;
  /** The right client has connected, or `connectToClient` has. A listener is closed by then. */
  onClientDataOpen(generation: number, now: number): void;
  /**
   * The leg could not be opened, or an open one was reset before its relay was started. A FIN is no failure: a client
   * may send a whole file before we are ready for it, and the relay passes that on.
   */
  onClientDataFailed(generation: number, failure: DataFailure, now: number): void;

  /** The answer to `listenForBackend`: `at` is what the backend is told. */
  onBackendListening(generation: number, at: DataAddress, now: number): void;
  onBackendListenFailed(generation: number, failure: DataFailure, now: number): void;
  /** As with the client's leg. */
  onBackendDataOpen(generation: number, now: number): void;
  onBackendDataFailed(generation: number, failure: DataFailure, now: number): void;

  /** Told once for a relay that was started, unless `abortData` came first. Nothing of the generation is left then. */
  onRelayDone(generation: number, outcome: RelayOutcome, now: number): void;
}

/** What a session has the engine do. None of these throws. */
export interface FtpEffects {
  /**
   * False: more is pending than the engine wants to keep. Then the machine has the backend paused and takes no further
   * command until `onClientDrain`.
   */
  toClient(bytes: Uint8Array): boolean;
  /** One command at a time: what can be pending is small. */
  toBackend(bytes: Uint8Array): void;
  /** Too many commands wait: read no more from the client until `resumeClient`. Its end is still told if it is seen. */
  pauseClient(): void;
  resumeClient(): void;
  pauseBackend(): void;
  resumeBackend(): void;
  /** Nothing of the connection is told after it. */
  closeClient(how: CloseHow): void;
  /** As `closeClient`. Does nothing where there is no connection; an attempt that runs is given up. */
  closeBackend(how: CloseHow): void;
  /**
   * Picks a backend that this session has not asked yet for `user`, who is empty where it does not matter, and connects
   * to it. The engine owns the time that this may take; from `onBackendConnected` on the machine owns that of greeting.
   */
  connectBackend(user: string): void;

  /**
   * Listens for a data connection of the client, for the address that its control connection reached. `pasv` must
   * advertise an IPv4 address, `epsv` any. Only the control connection's peer is accepted, and only once.
   */
  listenForClient(generation: number, form: 'pasv' | 'epsv'): void;
  /** Connects to where the client listens, from the address that its control connection reached. `to` was checked. */
  connectToClient(generation: number, to: DataAddress): void;
  /** Listens for a data connection of the backend, on the address that our control connection to it has. */
  listenForBackend(generation: number): void;
  connectToBackend(generation: number, to: BackendDataAddress): void;
  /**
   * Gives up the backend's leg of a generation, in whatever state it is, and keeps the client's: the leg will be opened
   * in another way. Nothing is told about what was given up.
   */
  dropBackendLeg(generation: number): void;
  /** Both legs are open: bytes flow from now on, and the end of each leg is passed on as what it was. */
  startRelay(generation: number, direction: Direction): void;
  /**
   * Breaks all of a generation at once: listeners are closed, connections are reset, a relay is ended. Nothing is told
   * of the generation after it. Returns the payload that its relay had written. The generation may be one that the
   * engine has not heard of: a client that listens is connected to by its first transfer alone.
   */
  abortData(generation: number, reason: DataAbort): number;

  /** The backend that was connected is given up, before it was greeted by. Another `connectBackend` follows. */
  greetingFailed(reason: GreetingFailure): void;
  /** The session has its backend: it stays with it, or until another user wants to log in. */
  greeted(): void;
  /** The backend accepted a login. May come more than once. */
  loggedIn(user: string): void;
  /** A command got an answer of our own instead of the backend's. `verb` is empty where there was none. */
  refused(reason: FtpRefusal, verb: string): void;
  transferEnded(record: TransferRecord): void;
  /** Last of all, once. By then both control connections were closed and all data connections broken or over. */
  sessionEnded(record: SessionRecord): void;
}
