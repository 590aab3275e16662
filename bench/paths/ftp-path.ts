import type { Child } from '../run/child.ts';

export const ftpPathNames = ['direct', 'tftp-lb', 'mod_proxy'] as const;
export type FtpPathName = (typeof ftpPathNames)[number];

/** A way from the generator to the FTP server. */
export interface FtpPath {
  readonly name: FtpPathName;
  /** Where control connections go. */
  readonly port: number;
  /** What stands in between; undefined where nothing does. */
  readonly relay: Child | undefined;
}

/** One with something in between. */
export type RelayedFtpPath = FtpPath & { readonly relay: Child };
