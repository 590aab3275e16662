import type { z } from 'zod';

import type { SessionLimits } from '../../engine/snapshot.ts';
import * as field from '../fields.ts';
import { section } from '../section.ts';

/** How many sessions of a protocol there may be. */
export function limits(protocol: 'TFTP' | 'FTP', total: number): z.ZodType<SessionLimits> {
  const sessions = (fallback: number, text: string): z.ZodType<number> =>
    field
      .integer(0, 1_000_000)
      .prefault(fallback)
      .meta({ description: `${protocol} sessions at a time${text}; 0 = no limit` });
  return section(
    {
      'max-sessions': sessions(total, ''),
      'max-sessions-per-client': sessions(0, ' of one client address'),
      'max-sessions-per-backend': sessions(0, ' on one backend'),
    },
    (said) => ({
      total: said['max-sessions'],
      perClient: said['max-sessions-per-client'],
      perBackend: said['max-sessions-per-backend'],
    }),
  );
}
