/** What TFTP alone has. */
import { z } from 'zod';

import type { TftpServiceConfig } from '../config.ts';
import * as field from '../fields.ts';
import { type Rule, section } from '../section.ts';
import { day, minute, second } from './spans.ts';

/** All of it, `readOnly` apart, which both protocols have. */
export interface TftpOptions {
  readonly tids: TftpServiceConfig['tids'];
  readonly requests: Omit<TftpServiceConfig['requests'], 'readOnly'>;
  readonly timing: TftpServiceConfig['timing'];
}

const tids = {
  'single-port': field.toggle().prefault(false).meta({
    description: 'answer TFTP from the listening port alone, for clients behind NAT or a port map',
  }),
  'tid-ports': field
    .portRange(1024)
    .optional()
    .meta({ description: 'ports that TFTP transfers are answered from, for firewalls' }),
};

const requests = {
  'max-blksize': field.integerOr('auto', 8, 65_464).optional().meta({
    description: 'lower the block size that clients ask for to N, or to what fits the interface of the VIP',
  }),
  'max-windowsize': field
    .integer(1, 65_535)
    .optional()
    .meta({ description: 'lower the window size that clients ask for to N' }),
  'strip-multicast': field.toggle().prefault(true).meta({
    description: 'remove the multicast option, which no balancer can follow, from requests',
  }),
  'retry-not-found': field.toggle().prefault(false).meta({
    description: 'ask the other backends before a client hears that a file does not exist',
  }),
  'backend-any-address': field.toggle().prefault(false).meta({
    description: 'accept the first reply of a backend from any address, for servers with several',
  }),
  transparent: field.toggle().prefault(false).meta({
    description:
      "let backends see the clients' addresses (linux engine, CAP_NET_ADMIN, a way back through this host)",
  }),
};

const timing = {
  'try-interval': field.duration(10, minute).prefault('1s').meta({
    description: 'silence of a backend after which a download is asked of another one',
  }),
  'idle-timeout': field
    .duration(second, day)
    .prefault('60s')
    .meta({ description: 'silence after which a transfer counts as lost' }),
};

const oneTidMode: Rule<z.output<z.ZodObject<typeof tids>>> = {
  keys: ['single-port', 'tid-ports'],
  find: (said) =>
    said['single-port'] && said['tid-ports'] !== undefined
      ? { keys: ['single-port', 'tid-ports'], problem: 'exclude each other' }
      : undefined,
};

export const tftp: z.ZodType<TftpOptions> = section(
  { ...tids, ...requests, ...timing },
  (said) => ({
    tids: said['single-port'] ? { kind: 'single-port' } : { kind: 'ephemeral', ports: said['tid-ports'] },
    requests: {
      maxBlksize: said['max-blksize'],
      maxWindowsize: said['max-windowsize'],
      stripMulticast: said['strip-multicast'],
      retryNotFound: said['retry-not-found'],
      backendAnyAddress: said['backend-any-address'],
      transparent: said.transparent,
    },
    timing: { tryInterval: said['try-interval'], idleTimeout: said['idle-timeout'] },
  }),
  [oneTidMode],
);
