/** Where backends come from that are not listed one by one. */
import { z } from 'zod';

import type { DiscoveryConfig, DnsConfig, ListFileConfig } from '../config.ts';
import * as field from '../fields.ts';
import { keys, section } from '../section.ts';
import { day, hour, second } from './spans.ts';

const port = field
  .integer(1, 65_535)
  .optional()
  .meta({ description: 'port of backends that are found without one; that of the protocol if left out' });

const families = { ipv4: 4, ipv6: 6 } as const;

const dns = keys(
  {
    name: field.domain().meta({ description: 'whole name: no search domain is added' }),
    records: field.word(['address', 'srv']).optional().meta({
      description: 'what is asked for, A and AAAA or SRV; SRV for names that begin with _, if left out',
    }),
    port,
    family: field.word(['ipv4', 'ipv6']).optional().meta({
      description: 'addresses that count; if left out, IPv4 where there is any, else IPv6',
    }),
    'min-interval': field.duration(second, hour).prefault('5s').meta({
      description: 'least time from one look to the next, which is also that after a failure',
    }),
    'max-interval': field.duration(second, day).prefault('5m').meta({
      description: 'most time from one look to the next, however long the records may be kept',
    }),
  },
  [
    {
      keys: ['min-interval', 'max-interval'],
      find: (said) =>
        said['min-interval'] > said['max-interval']
          ? { keys: ['min-interval'], problem: 'must not be above', other: 'max-interval' }
          : undefined,
    },
  ],
);

const file = keys({
  path: field.path().meta({ description: 'path of the list' }),
  port,
  'poll-interval': field.duration(second, hour).prefault('10s').meta({
    description: 'how often the file is looked at where the system tells nothing of changes',
  }),
});

/** `port` is that of backends which are found without one. */
export function discovery(fallback: number): z.ZodType<DiscoveryConfig> {
  const inDns = dns.transform((said): Omit<DnsConfig, 'servers'> => ({
    name: said.name,
    records: said.records ?? recordsOf(said.name),
    port: said.port ?? fallback,
    family: said.family && families[said.family],
    minInterval: said['min-interval'],
    maxInterval: said['max-interval'],
  }));
  const inFile = file.transform((said): ListFileConfig => {
    return { path: said.path, port: said.port ?? fallback, pollInterval: said['poll-interval'] };
  });
  return section(
    {
      dns: field.keyOr('name', 'DOMAIN', inDns).optional().meta({
        description: 'name in DNS whose records are the backends, in place of a list',
      }),
      'dns-servers': z
        .array(field.dnsServer(), { error: 'expected a list of servers, ADDR[:PORT]' })
        .max(8, { error: 'at most 8 are possible' })
        .optional()
        .meta({
          description: 'servers that are asked, in this order; those of /etc/resolv.conf if left out',
        }),
      file: field.keyOr('path', 'FILE', inFile).optional().meta({
        description: 'file with a list of the backends in YAML or JSON, read again when it changes',
      }),
      'resolve-interval': field
        .duration(second, day)
        .prefault('30s')
        .meta({ description: 'how often the host names of backends are looked up again' }),
      'empty-grace': field.duration(0, day).prefault('1m').meta({
        description: 'how long DNS or a file is not believed that no backends are left',
      }),
    },
    ({ dns, file, ...said }) => ({
      resolveInterval: said['resolve-interval'],
      emptyGrace: said['empty-grace'],
      dns: dns && { ...dns, servers: said['dns-servers'] ?? [] },
      file,
    }),
    [
      {
        keys: ['dns', 'file'],
        find: ({ dns, file }) =>
          dns && file && { keys: ['file'], problem: 'cannot stand beside', other: 'dns' },
      },
    ],
  );
}

/** SRV records have names with an underscore in front (RFC 2782). */
function recordsOf(name: string): DnsConfig['records'] {
  return name.startsWith('_') ? 'srv' : 'address';
}
