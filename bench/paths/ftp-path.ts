import type { Child } from '../run/child.ts';

/** Which connections are under TLS: none, those of clients, or those of servers, too. */
export type TlsLegs = 'none' | 'client' | 'both';

export const ftpPathNames = [
  'direct',
  'tftp-lb',
  'tftp-lb, 2 workers',
  'tftp-lb, both legs',
  'mod_proxy',
  'mod_proxy, both legs',
] as const;
export type FtpPathName = (typeof ftpPathNames)[number];

/** A way from the generator to the FTP server. */
export interface FtpPath {
  readonly name: FtpPathName;
  /** Where control connections go. */
  readonly port: number;
  /** Whether clients speak TLS. */
  readonly isSecure: boolean;
  /** What stands in between; undefined where nothing does. */
  readonly relay: Child | undefined;
}

/** One with something in between. */
export type RelayedFtpPath = FtpPath & { readonly relay: Child };
