/** What concerns the process as a whole. */
import type { z } from 'zod';

import { type AdminConfig, type EngineName, engineNames, type LogConfig, logLevels } from '../config.ts';
import * as field from '../fields.ts';
import { section } from '../section.ts';
import { hour } from './spans.ts';

export const admin: z.ZodType<AdminConfig> = section(
  {
    listen: field.listenerOrOff().prefault('127.0.0.1:9069').meta({
      description: 'where /metrics, /healthz, /readyz and /status are served; false turns them off',
    }),
    socket: field.socketPathOrOff().prefault('auto').meta({
      description:
        'unix socket for tftp-lb ctl, which changes things; auto is admin.sock in the runtime directory, false is none',
    }),
    'token-file': field.path().optional().meta({
      description:
        'file whose first line is the bearer token that lets changes be made over TCP, too; without it, that only shows',
    }),
  },
  ({ 'token-file': tokenFile, ...said }) => ({ ...said, tokenFile }),
  [
    {
      keys: ['listen', 'token-file'],
      find: ({ listen, 'token-file': tokenFile }) =>
        tokenFile !== undefined && listen === undefined
          ? { keys: ['token-file'], problem: 'needs', other: 'listen' }
          : undefined,
    },
  ],
);

export const log: z.ZodType<LogConfig> = section(
  {
    level: field
      .word(logLevels)
      .prefault('info')
      .meta({
        title: 'LEVEL',
        description: `least grave message that is logged: ${logLevels.join(', ')}`,
      }),
  },
  ({ level }) => ({ level }),
);

export const drainTimeout: z.ZodType<number> = field.duration(0, hour).prefault('30s').meta({
  description: 'time that running transfers get to finish in when the balancer is told to stop',
});

export const workers: z.ZodType<number | 'auto'> = field.integerOr('auto', 1, 256).prefault('auto').meta({
  description: 'threads that serve clients; auto is one for each core',
});

export const engine: z.ZodType<EngineName> = field.word(engineNames).prefault('auto').meta({
  title: 'ENGINE',
  description:
    'what TFTP is served with: linux (batched system calls), portable (sockets of Node), or auto, the best that works here',
});

export const busyPoll: z.ZodType<number> = field.integer(0, 10_000).prefault(100).meta({
  description:
    'microseconds for which the linux engine polls before it sleeps, while transfers run; 0 = never',
});
