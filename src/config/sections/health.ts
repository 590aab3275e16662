import type { z } from 'zod';

import type { FtpHealthConfig, HealthConfig, TftpHealthConfig } from '../config.ts';
import * as field from '../fields.ts';
import { type Rule, section } from '../section.ts';
import { hour, minute } from './spans.ts';

const common = {
  interval: field
    .duration(100, hour, { zero: true })
    .prefault('5s')
    .meta({ description: 'time between two checks of a backend; 0 turns them off' }),
  timeout: field
    .duration(10, minute)
    .prefault('2s')
    .meta({ description: 'time after which a check without its answer has failed' }),
  rise: field
    .integer(1, 100)
    .prefault(2)
    .meta({ description: 'good checks in a row that bring a backend up' }),
  fall: field
    .integer(1, 100)
    .prefault(3)
    .meta({ description: 'failed checks in a row that take a backend down' }),
  'eject-time': field.duration(100, hour).prefault('10s').meta({
    description: 'how long a backend that refused or kept silent is tried last; longer with each repeat',
  }),
  'eject-errors': field.integer(0, 1000).prefault(5).meta({
    description:
      'failures in a row, of transfers or sessions, after which a backend is tried last, too; 0 = never',
  }),
  'slow-start': field.duration(100, hour, { zero: true }).prefault(0).meta({
    description: 'time in which a backend that comes back grows to its full weight; 0 = at once',
  }),
};

export const tftpHealth: z.ZodType<TftpHealthConfig> = section(
  {
    ...common,
    probe: field.probe('tftp').prefault('tftp').meta({
      description:
        'how TFTP servers are checked: tftp, tcp:PORT, or exec:COMMAND, whose exit code 0 is a sign of life',
    }),
    file: field.fileName().prefault('tftp-lb-health').meta({
      description: 'file that TFTP health checks ask for; it need not exist, any answer is a sign of life',
    }),
    sha256: field.sha256().optional().meta({
      description:
        'SHA-256 of that file: TFTP health checks fetch the whole of it, and no other content is a sign of life',
    }),
  },
  ({ probe, file, sha256, ...said }) => ({ ...healthOf(said), probe, file, sha256 }),
  [
    {
      keys: ['probe', 'sha256'],
      find: ({ probe, sha256 }) =>
        sha256 !== undefined && probe.kind !== 'protocol'
          ? {
              keys: ['sha256'],
              problem: 'compares what TFTP delivers; it excludes any other',
              other: 'probe',
            }
          : undefined,
    },
  ],
);

type Login = Readonly<Partial<Record<'user' | 'password' | 'password-file', string | undefined>>>;

const onePassword: Rule<Login> = {
  keys: ['password', 'password-file'],
  find: (said) =>
    said.password !== undefined && said['password-file'] !== undefined
      ? { keys: ['password', 'password-file'], problem: 'exclude each other' }
      : undefined,
};

const passwordOfNobody = (key: 'password' | 'password-file'): Rule<Login> => ({
  keys: ['user', 'password', 'password-file'],
  find: (said) =>
    said.user === undefined && said[key] !== undefined && onePassword.find(said) === undefined
      ? { keys: [key], problem: 'needs', other: 'user' }
      : undefined,
});

export const ftpHealth: z.ZodType<FtpHealthConfig> = section(
  {
    ...common,
    probe: field.probe('ftp').prefault('ftp').meta({
      description: 'how FTP servers are checked: ftp, tcp, tcp:PORT, or exec:COMMAND',
    }),
    user: field.line().optional().meta({
      title: 'USER',
      description:
        'user that FTP health checks log in as, to fetch a listing; without one they wait for the greeting alone',
    }),
    password: field.line().optional().meta({ writeOnly: true, description: 'password of that user' }),
    'password-file': field
      .path()
      .optional()
      .meta({ description: 'file whose first line is the password of that user' }),
  },
  ({ probe, user, password, 'password-file': passwordFile, ...said }) => {
    return { ...healthOf(said), probe, user, password, passwordFile };
  },
  [onePassword, passwordOfNobody('password'), passwordOfNobody('password-file')],
);

function healthOf({
  'eject-time': ejectTime,
  'eject-errors': ejectErrors,
  'slow-start': slowStart,
  ...said
}: z.output<z.ZodObject<typeof common>>): Omit<HealthConfig, 'probe'> {
  return { ...said, ejectTime, ejectErrors, slowStart };
}
