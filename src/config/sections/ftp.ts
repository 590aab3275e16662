/** What FTP alone has. */
import { z } from 'zod';

import { defaultFtpTimeouts } from '../../ftp/effects.ts';
import type { FtpServiceConfig } from '../config.ts';
import * as field from '../fields.ts';
import { type Rule, section } from '../section.ts';
import { backendTls, clientTls, proxy } from './ftp-tls.ts';
import { day } from './spans.ts';

/** All of it, `readOnly` apart, which both protocols have. */
export interface FtpOptions {
  readonly commands: Omit<FtpServiceConfig['commands'], 'readOnly'>;
  readonly data: FtpServiceConfig['data'];
  readonly timing: FtpServiceConfig['timing'];
  readonly xferlog: FtpServiceConfig['xferlog'];
  readonly tls: FtpServiceConfig['tls'];
  /** Where TLS begins with the connection. */
  readonly implicitPort: number | undefined;
  readonly proxy: FtpServiceConfig['proxy'];
  readonly userMap?: string | undefined;
  readonly userMapKey: FtpServiceConfig['userMapKey'];
}

const data = {
  modes: field.words(['active,passive', 'passive']).prefault('active,passive').meta({
    title: 'MODES',
    description:
      'data connections that clients may have: active,passive, or passive alone (PORT and EPRT get 502)',
  }),
  'backend-data': field.word(['passive', 'active', 'client']).prefault('passive').meta({
    title: 'MODE',
    description:
      'data connections towards servers: passive, active, or as the client does; passive falls back',
  }),
  'passive-ports': field
    .portRange(1024)
    .optional()
    .meta({ description: 'ports that passive clients connect to, for firewalls' }),
  'passive-address': field.advertised().prefault('auto').meta({
    description:
      'IPv4 address that PASV tells clients: auto (the one that they reached), ADDR, or CIDR=ADDR,... by network',
  }),
  'port-address': field.word(['client', 'control']).prefault('client').meta({
    title: 'WHICH',
    description:
      'address that active clients are reached at: their PORT, which must be their own, or that of control',
  }),
  'backend-pasv-address': field.word(['ignore', 'trust']).prefault('ignore').meta({
    title: 'HOW',
    description:
      "whether the address in a server's 227 is followed; trust is for servers with a data address of its own",
  }),
};

const commands = {
  deny: field.verbs().optional().meta({ description: 'commands that are refused with 550' }),
  'max-waiting': field.integer(1, 1000).prefault(64).meta({
    description: 'commands of a client that wait behind the one that runs before reading stops',
  }),
  'max-line': bytes(512, 65_536, 4096, 'longest command of a client; what is longer gets 500'),
  'max-reply-line': bytes(
    512,
    65_536,
    8192,
    'longest line in a reply of a server; what is longer ends the session',
  ),
  'max-reply': bytes(
    65_536,
    16_777_216,
    1_048_576,
    'longest reply of a server, all lines together; what is longer ends the session',
  ),
  'max-reply-lines': field.integer(100, 100_000).prefault(5000).meta({
    description: 'most lines in a reply of a server; what has more ends the session',
  }),
};

function bytes(min: number, max: number, fallback: number, description: string): z.ZodType<number> {
  return field.integer(min, max).prefault(fallback).meta({ title: 'BYTES', description });
}

const timing = {
  'connect-timeout': time('3s', 'to reach a server, before the next one is tried'),
  'greeting-timeout': time('10s', 'for a server to greet, before the next one is tried'),
  'login-timeout': time('60s', 'for a client to log in'),
  'idle-timeout': time('5m', 'between two commands of a client'),
  'accept-timeout': time('45s', 'for a passive client to connect'),
  'data-timeout': time('30s', 'to open a data connection towards an active client or a server'),
  'stall-timeout': time('5m', 'for which no byte of a transfer may move'),
  'reply-timeout': time('10m', 'for a server to answer, also behind a transfer that it processes'),
};

function time(fallback: string, text: string): z.ZodType<number> {
  return field
    .duration(10, day)
    .prefault(fallback)
    .meta({ description: `time ${text}` });
}

const xferlog = field.path().optional().meta({
  description: 'log of FTP transfers in the wu-ftpd format; SIGUSR1 opens it anew, for rotation',
});

const userMap = field.path().optional().meta({
  description:
    'which backend each user has, a line "user: backend" for each; other users get 530; read again when it changes',
});

const userMapKey = field.word(['user', 'subject']).prefault('user').meta({
  title: 'KEY',
  description:
    "what the user map knows users by: user (the name in USER), or subject (of the client's certificate, as the log has it)",
});

interface Mapped {
  readonly 'user-map'?: string | undefined;
  readonly 'user-map-key': FtpServiceConfig['userMapKey'];
  readonly tls: Pick<FtpServiceConfig['tls'], 'mode' | 'client'> & Pick<FtpOptions, 'implicitPort'>;
}

const wantsMap: Rule<Mapped> = {
  keys: ['user-map', 'user-map-key'],
  find: (said) =>
    said['user-map-key'] === 'subject' && said['user-map'] === undefined
      ? { keys: ['user-map-key'], problem: 'needs', other: 'user-map' }
      : undefined,
};

/** Without them no client ever has a subject. */
const wantsSubjects: Rule<Mapped> = {
  keys: ['user-map-key', 'tls'],
  find: ({ tls, ...said }) => {
    if (said['user-map-key'] !== 'subject') return undefined;
    const hasTls = tls.mode === 'allowed' || tls.mode === 'required' || tls.implicitPort !== undefined;
    const other = tls.client.ca === undefined ? 'tls.client-ca' : 'tls.mode';
    if (hasTls && tls.client.ca !== undefined) return undefined;
    return { keys: ['user-map-key'], problem: 'needs', other };
  },
};

export const ftp: z.ZodType<FtpOptions> = section(
  {
    ...data,
    ...commands,
    ...timing,
    xferlog,
    'user-map': userMap,
    'user-map-key': userMapKey,
    tls: clientTls,
    'backend-tls': backendTls,
    proxy,
  },
  (said) => ({
    commands: {
      denied: said.deny ?? [],
      maxWaiting: said['max-waiting'],
      caps: {
        clientLine: said['max-line'],
        backendLine: said['max-reply-line'],
        replyBytes: said['max-reply'],
        replyLines: said['max-reply-lines'],
      },
    },
    data: {
      clientModes: said.modes,
      backendData: said['backend-data'],
      portAddress: said['port-address'],
      backendPasvAddress: said['backend-pasv-address'],
      passivePorts: said['passive-ports'],
      advertised: said['passive-address'],
    },
    timing: {
      connect: said['connect-timeout'],
      greeting: said['greeting-timeout'],
      login: said['login-timeout'],
      idle: said['idle-timeout'],
      dataAccept: said['accept-timeout'],
      dataConnect: said['data-timeout'],
      stall: said['stall-timeout'],
      finalReply: said['reply-timeout'],
      settle: defaultFtpTimeouts.settle,
    },
    xferlog: said.xferlog,
    userMap: said['user-map'],
    userMapKey: said['user-map-key'],
    tls: { mode: said.tls.mode, client: said.tls.client, backend: said['backend-tls'] },
    implicitPort: said.tls.implicitPort,
    proxy: said.proxy,
  }),
  [wantsMap, wantsSubjects],
);
