/** TLS and the PROXY protocol in FTP, towards clients and towards servers. */
import { z } from 'zod';

import type { FtpServiceConfig } from '../config.ts';
import * as field from '../fields.ts';
import { type Rule, section } from '../section.ts';
import { minute } from './spans.ts';

/** Of clients. */
type ClientTls = Pick<FtpServiceConfig['tls'], 'mode' | 'client'> & {
  readonly implicitPort: number | undefined;
};

interface Pairs {
  readonly mode: FtpServiceConfig['tls']['mode'];
  readonly 'implicit-port'?: number | undefined;
  readonly certificates: readonly string[];
  readonly keys: readonly string[];
}

const wantsCertificates: Rule<Pairs> = {
  keys: ['mode', 'implicit-port', 'certificates'],
  find: (said) => {
    const key = said.mode === 'off' || said.mode === 'passthrough' ? 'implicit-port' : 'mode';
    const isWanted = key === 'mode' || (said.mode === 'off' && said['implicit-port'] !== undefined);
    if (!isWanted || said.certificates.length > 0) return undefined;
    return { keys: [key], problem: 'needs', other: 'certificates' };
  },
};

const wholePairs: Rule<Pairs> = {
  keys: ['certificates', 'keys'],
  find: ({ certificates, keys }) => {
    if (keys.length === 0 || keys.length === certificates.length) return undefined;
    if (certificates.length === 0) return { keys: ['keys'], problem: 'needs', other: 'certificates' };
    const problem = `are ${certificates.length} and ${keys.length}: give one key for each certificate, in the same order`;
    return { keys: ['certificates', 'keys'], problem };
  },
};

const wantsAuthority: Rule<{
  readonly 'client-ca'?: string | undefined;
  readonly 'client-certificate': 'optional' | 'required';
}> = {
  keys: ['client-ca', 'client-certificate'],
  find: (said) =>
    said['client-certificate'] === 'required' && said['client-ca'] === undefined
      ? { keys: ['client-certificate'], problem: 'needs', other: 'client-ca' }
      : undefined,
};

export const clientTls: z.ZodType<ClientTls> = section(
  {
    mode: field.word(['off', 'allowed', 'required', 'passthrough']).prefault('off').meta({
      title: 'MODE',
      description:
        'TLS for clients: off, allowed (AUTH TLS), required before the login, or passthrough (all bytes go to a server unread)',
    }),
    'implicit-port': field.integer(1, 65_535).optional().meta({
      title: 'PORT',
      description:
        'port, on each address that is listened on, where TLS begins with the connection (990 is usual); none if left out',
    }),
    certificates: files(
      'files with a certificate and its chain as PEM; the name that a client asks for chooses',
    ),
    keys: files(
      'files with the private keys of the certificates, in the same order; left out, they are in the same files',
    ),
    'min-version': version('of clients'),
    'client-ca': field.path().optional().meta({
      description:
        'file with who signs the certificates of clients, as PEM; without it they are asked for none',
    }),
    'client-certificate': field.word(['optional', 'required']).prefault('optional').meta({
      title: 'WHETHER',
      description: 'whether clients must have a certificate of theirs, where they are asked for one',
    }),
    data: field.word(['allowed', 'required']).prefault('allowed').meta({
      title: 'WHETHER',
      description: 'whether data connections of clients may be, or have to be, under TLS (PROT P)',
    }),
    'data-resume': field.word(['off', 'prefer', 'require']).prefault('prefer').meta({
      title: 'HOW',
      description:
        "whether data connections resume the control connection's TLS session, which proves that they are the same client's: off, prefer, or require",
    }),
    eof: field.word(['strict', 'lenient']).prefault('strict').meta({
      title: 'HOW',
      description:
        'what an upload is that ends without TLS saying so: broken (strict), or whole (lenient), as some old clients need it',
    }),
    'handshake-timeout': field
      .duration(100, minute)
      .prefault('10s')
      .meta({ description: 'time for a TLS handshake on a control connection' }),
  },
  (said) => ({
    mode: said.mode,
    implicitPort: said['implicit-port'],
    client: {
      keyPairs: said.certificates.map((certificate, at) => ({
        certificate,
        key: said.keys[at] ?? certificate,
      })),
      ca: said['client-ca'],
      certificate: said['client-certificate'],
      minVersion: said['min-version'],
      isDataRequired: said.data === 'required',
      dataResumption: said['data-resume'],
      eof: said.eof,
      handshakeTimeout: said['handshake-timeout'],
    },
  }),
  [wantsCertificates, wholePairs, wantsAuthority],
);

const implicitMatch: Rule<{ readonly mode: string; readonly implicit: boolean }> = {
  keys: ['mode', 'implicit'],
  find: ({ mode, implicit }) =>
    implicit && mode !== 'required'
      ? {
          keys: ['implicit', 'mode'],
          problem: 'do not go together: TLS from the beginning is TLS in any case; say required',
        }
      : undefined,
};

export const backendTls: z.ZodType<FtpServiceConfig['tls']['backend']> = section(
  {
    mode: field.word(['off', 'auto', 'required', 'match']).prefault('off').meta({
      title: 'MODE',
      description:
        'TLS towards servers: off, auto (if they know AUTH TLS), required, or match (as the client does)',
    }),
    implicit: field.toggle().prefault(false).meta({
      description:
        'TLS begins with the connection to a server, without AUTH, which takes its port for that (HOST:990)',
    }),
    ca: field.path().optional().meta({
      description:
        'file with who signs the certificates of servers, as PEM; without it those whom Node trusts',
    }),
    name: field.line().optional().meta({
      title: 'NAME',
      description:
        'name that the certificates of servers must have; without it the host name or address that each was given as',
    }),
    insecure: field.toggle().prefault(false).meta({
      description: 'take any certificate of a server: whoever is between can then read and change everything',
    }),
    'min-version': version('of servers'),
    data: field.word(['private', 'clear', 'match']).prefault('private').meta({
      title: 'HOW',
      description:
        'data connections towards servers that are under TLS: private (PROT P), clear (PROT C), or match (as the client has it)',
    }),
  },
  (said) => ({
    mode: said.mode,
    isImplicit: said.implicit,
    ca: said.ca,
    serverName: said.name,
    isVerified: !said.insecure,
    minVersion: said['min-version'],
    data: levels[said.data],
  }),
  [implicitMatch],
);

const levels = { private: 'P', clear: 'C', match: 'match' } as const;

export const proxy: z.ZodType<FtpServiceConfig['proxy']> = section(
  {
    from: field.networks().optional().meta({
      description:
        'networks of proxies that say whose connections they pass on; every connection from there has to begin with a PROXY protocol header',
    }),
    'to-backends': field.word(['off', 'v1', 'v2']).prefault('off').meta({
      title: 'VERSION',
      description: 'PROXY protocol header that servers are sent in front of a control connection',
    }),
    timeout: field
      .duration(100, minute)
      .prefault('5s')
      .meta({ description: 'time for the header of a proxy' }),
  },
  (said) => ({
    trusted: said.from ?? [],
    version: versions[said['to-backends']],
    timeout: said.timeout,
  }),
);

const versions = { off: undefined, v1: 1, v2: 2 } as const;
const tlsVersions = { '1.2': 'TLSv1.2', '1.3': 'TLSv1.3' } as const;

function files(description: string): z.ZodType<string[]> {
  const error = 'expected a list of paths, such as [/etc/ssl/ftp.pem]';
  return z.array(field.path(), { error }).prefault([]).meta({ description });
}

function version(whose: string): z.ZodType<'TLSv1.2' | 'TLSv1.3'> {
  return field
    .word(['1.2', '1.3'])
    .transform((text) => tlsVersions[text])
    .prefault('1.2')
    .meta({ title: 'VERSION', description: `oldest version of TLS ${whose} that is taken` });
}
