import { z } from 'zod';

import { backend, type BackendSpec } from '../backend.ts';
import {
  type BackendConfig,
  ftpPolicies,
  type FtpServiceConfig,
  tftpPolicies,
  type TftpServiceConfig,
} from '../config.ts';
import * as field from '../fields.ts';
import { listener, type ListenerSaid } from '../listener.ts';
import { keys } from '../section.ts';
import type { ListenerSpec } from '../../engine/snapshot.ts';
import { discovery } from './discovery.ts';
import { ftp } from './ftp.ts';
import { ftpHealth, tftpHealth } from './health.ts';
import { ftpLimits, tftpLimits } from './limits.ts';
import { tftp } from './tftp.ts';
import { affinity, ftpAccess, rates, routes, tftpAccess } from './traffic.ts';

/** A service before it has its name, which is its key. */
type Nameless<S> = Omit<S, 'name'>;
type NamelessService = Nameless<TftpServiceConfig> | Nameless<FtpServiceConfig>;

/** The ports that servers listen on (RFC 1350 section 4, RFC 959 section 8), and the balancer like them. */
export const defaultPorts = { tftp: 69, ftp: 21 } as const;

const wantsListeners = 'required: the address to listen on, ADDR';
const wantsBackends = 'required: a server to balance over, HOST[:PORT]';

/** More are a mistake. */
const maxServices = 64;

const tftpService = keys({
  protocol: protocol('tftp'),
  ...places(defaultPorts.tftp),
  policy: field
    .word(tftpPolicies)
    .prefault('round-robin')
    .meta({
      title: 'POLICY',
      description: `how transfers are shared out: ${tftpPolicies.join(', ')}`,
    }),
  ...common(defaultPorts.tftp),
  limits: tftpLimits(5000),
  access: tftpAccess,
  routes,
  health: tftpHealth,
  tftp,
}).transform((said): Nameless<TftpServiceConfig> => {
  const { protocol: kind, policy, limits, access, rates, affinity, routes, health, discovery } = said;
  const { tids, requests, timing } = said.tftp;
  return {
    kind,
    ...placed(said, defaultPorts.tftp),
    discovery,
    policy,
    tids,
    requests: { readOnly: said['read-only'], ...requests },
    routes,
    limits,
    access,
    rates,
    affinity,
    timing,
    health,
  };
});

const ftpService = keys({
  protocol: protocol('ftp'),
  ...places(defaultPorts.ftp),
  policy: field
    .word(ftpPolicies)
    .prefault('round-robin')
    .meta({
      title: 'POLICY',
      description: `how sessions are shared out: ${ftpPolicies.join(', ')}`,
    }),
  ...common(defaultPorts.ftp),
  limits: ftpLimits(2000),
  access: ftpAccess,
  health: ftpHealth,
  ftp,
}).transform((said): Nameless<FtpServiceConfig> => {
  const { protocol: kind, policy, limits, access, rates, affinity, health, discovery } = said;
  const { commands, data, timing, xferlog, userMap, userMapKey, tls, proxy, implicitPort } = said.ftp;
  const { listeners, backends } = placed(said, defaultPorts.ftp);
  return {
    kind,
    listeners: [...listeners, ...implicitListeners(listeners, implicitPort)],
    backends,
    discovery,
    policy,
    commands: { readOnly: said['read-only'], ...commands },
    data,
    limits,
    access,
    rates,
    affinity,
    timing,
    health,
    xferlog,
    tls,
    proxy,
    userMapKey,
    ...(userMap !== undefined && { userMap }),
  };
});

/** One on each address. */
function implicitListeners(listeners: readonly ListenerSpec[], port: number | undefined): ListenerSpec[] {
  if (port === undefined) return [];
  const addresses = [...new Set(listeners.map(({ address }) => address))];
  return addresses.map((address) => ({ address, port, isImplicit: true }));
}

function protocol<Kind extends 'tftp' | 'ftp'>(kind: Kind): z.ZodLiteral<Kind> {
  return z.literal(kind).meta({ title: kind, description: 'what clients speak' });
}

function places(port: number) {
  return {
    listeners: z
      .array(listener(), { error: wantsListeners })
      .min(1, { error: wantsListeners })
      .meta({ description: 'addresses to listen on; 0.0.0.0 and :: stand for every local one' }),
    port: field
      .integer(0, 65_535)
      .prefault(port)
      .meta({ title: 'PORT', description: 'port of listeners that name none; 0 lets the system choose' }),
    backends: z.array(backend(), { error: wantsBackends }).min(1, { error: wantsBackends }).optional().meta({
      description: 'servers to balance over, whose names differ; required without discovery.dns or .file',
    }),
  };
}

function common(port: number) {
  return {
    'read-only': field.toggle().prefault(false).meta({
      description: 'refuse uploads, and every FTP command that changes something',
    }),
    discovery: discovery(port),
    rates,
    affinity,
  };
}

interface Places {
  readonly listeners: readonly ListenerSaid[];
  readonly port: number;
  readonly backends?: readonly BackendSpec[] | undefined;
}

function placed(
  { listeners, port, backends = [] }: Places,
  fallback: number,
): { listeners: ListenerSpec[]; backends: BackendConfig[] } {
  return {
    listeners: listeners.map((at) => ({ address: at.address, port: at.port ?? port })),
    backends: backends.map((at) => ({
      name: at.name,
      host: at.host,
      port: at.port ?? fallback,
      weight: at.weight,
    })),
  };
}

const service: z.ZodType<NamelessService> = z.discriminatedUnion('protocol', [tftpService, ftpService], {
  error: 'expected a section with protocol: tftp or protocol: ftp',
});

/** By name; that names are fit to be labels is not said here, so that what is wrong with their services is. */
export const services: z.ZodType<(TftpServiceConfig | FtpServiceConfig)[]> = z
  .record(z.string(), service, {
    error: 'required: services by name, each with protocol, listeners and backends',
  })
  .superRefine((said, context) => {
    const count = Object.keys(said).length;
    if (count === 0) context.addIssue('required: a service by its name');
    if (count > maxServices) context.addIssue(`at most ${maxServices} are possible`);
  })
  .transform((said) => Object.entries(said).map(([name, service]) => Object.assign(service, { name })))
  .meta({ description: 'what is balanced, by name' });
