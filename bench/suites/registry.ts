/** What the bench can be asked for: a suite is a row here, and one in its help. */
import type { Suite } from './suite.ts';

import { ftp } from './ftp.ts';
import { ftps } from './ftps.ts';
import { tftp } from './tftp.ts';

export const suites: ReadonlyMap<string, Suite> = new Map([
  ['tftp', tftp],
  ['ftp', ftp],
  ['ftps', ftps],
]);
