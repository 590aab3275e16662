/** What came of a user map that has changed. */
export const userMapResults = ['loaded', 'failed'] as const;

/** Users have other backends from now on, as their sessions begin. */
interface FtpUsersLoaded {
  readonly kind: 'ftp.users.loaded';
  readonly service: string;
  readonly path: string;
  readonly users: number;
}

/** The user map has changed into what is none; the last good one stays in force. */
interface FtpUsersFailed {
  readonly kind: 'ftp.users.failed';
  readonly service: string;
  readonly path: string;
  readonly error: string;
}

export type UserMapEvent = FtpUsersLoaded | FtpUsersFailed;
