/** What a session is told once, at its beginning. */
import { lineCaps } from './lines.ts';
import { replyCaps } from './replies.ts';

/** Milliseconds, all of them. */
export interface FtpTimeouts {
  /** From a backend's connection to its 220, and again from each 120. */
  readonly greeting: number;
  /** From the client's connection, or from a command that ended the login, to an accepted login. */
  readonly login: number;
  /** Between a final reply and the next command of a client that is logged in. */
  readonly idle: number;
  /** From 227 or 229, and again from the transfer command, to the client's data connection. */
  readonly dataAccept: number;
  /** To open a data connection that we connect, or that the backend does. */
  readonly dataConnect: number;
  /** From a command, or from the end of its data, to its final reply. */
  readonly finalReply: number;
  /**
   * Once a transfer has failed on one side, for the other side to follow: for the backend's reply after its data
   * connection was reset, for the data connection to end after an error reply.
   */
  readonly settle: number;
}

export const defaultFtpTimeouts: FtpTimeouts = {
  greeting: 10_000,
  login: 60_000,
  idle: 300_000,
  dataAccept: 45_000,
  dataConnect: 30_000,
  finalReply: 600_000,
  settle: 10_000,
};

/** How much of what a peer says is kept until it is whole. Of a line, the bytes in front of its LF count. */
export interface FtpCaps {
  readonly clientLine: number;
  readonly backendLine: number;
  /** Ends of lines counted. */
  readonly replyBytes: number;
  readonly replyLines: number;
}

export const defaultFtpCaps: FtpCaps = {
  clientLine: lineCaps.client,
  backendLine: lineCaps.backend,
  replyBytes: replyCaps.bytes,
  replyLines: replyCaps.lines,
};

export interface FtpSessionOptions {
  /** Numeric addresses of the client's control connection; a zone is allowed. */
  readonly client: string;
  /** Whether the backend depends on who logs in. Then we greet, and the backend is chosen at USER. */
  readonly isByUser: boolean;
  /** `passive`: PORT and EPRT get 502. */
  readonly clientModes: 'active,passive' | 'passive';
  /**
   * How data connections to backends are made. `passive` falls back to the client's mode if the backend refuses it,
   * `client` always takes the client's mode.
   */
  readonly backendData: 'passive' | 'active' | 'client';
  /** Which address an active client is reached at: the one in PORT and EPRT, which must be its own, or always its own. */
  readonly portAddress: 'client' | 'control';
  /** Whether the address in a backend's 227 counts, or that of its control connection. */
  readonly backendPasvAddress: 'ignore' | 'trust';
  readonly isReadOnly: boolean;
  /** In upper case. */
  readonly denied: ReadonlySet<string>;
  readonly timeouts: FtpTimeouts;
  readonly caps: FtpCaps;
  /** Commands of a client that may wait behind the one that runs. */
  readonly maxWaiting: number;
}
