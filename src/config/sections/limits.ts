import { z } from 'zod';

import type { SessionLimits } from '../../engine/snapshot.ts';
import * as field from '../fields.ts';
import { section } from '../section.ts';
import { answer } from './traffic.ts';

/** How many FTP sessions there may be. */
export function ftpLimits(total: number): z.ZodType<SessionLimits> {
  return section(counts('FTP', total), limitsOf);
}

/** How many TFTP sessions there may be, and what clients hear beyond. */
export function tftpLimits(total: number): z.ZodType<SessionLimits> {
  const text =
    'what TFTP clients hear when a limit or rate refuses them: ERROR 0 (error), or nothing (silent)';
  return section({ ...counts('TFTP', total), answer: answer(text) }, (said) => ({
    ...limitsOf(said),
    answer: said.answer,
  }));
}

function counts(protocol: 'TFTP' | 'FTP', total: number) {
  const sessions = (fallback: number, text: string): z.ZodType<number> =>
    field
      .integer(0, 1_000_000)
      .prefault(fallback)
      .meta({ description: `${protocol} sessions at a time${text}; 0 = no limit` });
  return {
    'max-sessions': sessions(total, ''),
    'max-sessions-per-client': sessions(0, ' of one client address'),
    'max-sessions-per-backend': sessions(0, ' on one backend'),
  };
}

function limitsOf(said: z.output<z.ZodObject<ReturnType<typeof counts>>>): SessionLimits {
  return {
    total: said['max-sessions'],
    perClient: said['max-sessions-per-client'],
    perBackend: said['max-sessions-per-backend'],
  };
}
