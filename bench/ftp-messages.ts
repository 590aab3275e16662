/** What the ftp suite says to ftp-load.ts over its IPC channel, and what that answers. */

/** How an order is carried out: `sessions` control connections, all logged in before the clock starts. */
interface Transfers {
  readonly sessions: number;
  /** What each of them transfers, one after the other. */
  readonly files: number;
  /** Of each file. */
  readonly bytes: number;
}

/**
 * What the generator does to its target.
 *
 *   download, upload   files in passive mode
 *   logins             `logins` sessions that log in and leave, `sessions` of them at any time
 *   idle               `sessions` that have logged in and wait
 */
export type FtpLoad =
  | ({ readonly kind: 'download' } & Transfers)
  | ({ readonly kind: 'upload' } & Transfers)
  | { readonly kind: 'logins'; readonly sessions: number; readonly logins: number }
  | { readonly kind: 'idle'; readonly sessions: number };

/** Each message is answered once, and the next one waits for that. */
export type FtpOrder =
  /** Opens the sessions of `load`, under TLS if `isSecure`. */
  | { readonly kind: 'open'; readonly port: number; readonly isSecure: boolean; readonly load: FtpLoad }
  /** Carries it out to its end. */
  | { readonly kind: 'run' }
  /** Leaves. */
  | { readonly kind: 'close' };

export type FtpAnswer =
  /** `seconds` that the order took, on the generator's monotonic clock. */
  | ({ readonly kind: 'done'; readonly seconds: number } & FtpFaults)
  | { readonly kind: 'failed'; readonly reason: string };

/** What went wrong with the sessions of a load since it was opened. */
export interface FtpFaults {
  /** Sessions that were opened anew because they were refused or closed before they had logged in. */
  readonly repeats: number;
  /** Logins of `logins` that were refused or closed. */
  readonly errors: number;
}

/** Below the server's root. What is downloaded has its size as its name. */
export function fileOf(bytes: number): string {
  return String(bytes);
}

/** Takes what is appended to it, and keeps nothing. */
export const sink = 'sink';
