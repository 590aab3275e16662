/** What is legal and probably wrong. Nothing here stops the balancer; `check` prints it and `serve` logs it. */
import type { PortRange } from '../engine/snapshot.ts';
import { formatHostPort, isLoopback } from './address.ts';
import type { Config, FtpServiceConfig, ServiceConfig, TftpServiceConfig } from './config.ts';
import { formatDuration } from './duration.ts';

export const findingKinds = [
  'port-range-small',
  'port-range-overlap',
  'descriptors-short',
  'no-session-limit',
  'limit-without-effect',
  'health-off',
  'health-timeout-long',
  'try-interval-long',
  'backend-twice',
  'admin-public',
] as const;
export type FindingKind = (typeof findingKinds)[number];

export interface Finding {
  readonly kind: FindingKind;
  /** One sentence with the numbers, without a full stop. */
  readonly message: string;
}

/** What the machine allows, as far as it is known. */
export interface Machine {
  /** How many descriptors the process may have open. */
  readonly descriptors: number | undefined;
  /** Where the system, and so every session towards its backend, takes local ports from. */
  readonly ephemeralPorts: PortRange;
}

/** Descriptors of a session before its backend has answered: towards the client, and two towards the backend. */
const perTftpSession = { ephemeral: 3, 'single-port': 2 } as const;
/** Two control connections, two data connections and a listener. */
const perFtpSession = 5;
/** What the process needs besides: log, admin connections, listeners, health checks, the runtime itself. */
const besides = 128;
/** EDK2 repeats its request after this time, sooner than most; a try that lasts longer helps nobody (milliseconds). */
const shortestPatience = 3000;

/** In the order in which they are shown. */
export function findings(config: Config, machine: Machine): Finding[] {
  const all = [
    ...config.services.flatMap((service) => ofService(service, machine)),
    ...ofAllDescriptors(config, machine),
    ...ofAdmin(config),
  ];
  // What is odd about the checks that both protocols have is said once.
  return all.filter(({ message }, at) => all.findIndex((other) => other.message === message) === at);
}

function ofService(service: ServiceConfig, machine: Machine): Finding[] {
  return [
    ...(service.kind === 'tftp'
      ? [...ofTids(service), ...ofLocalPorts(service, machine)]
      : ofPassivePorts(service)),
    ...ofDescriptors(service, machine),
    ...ofLimits(service),
    ...ofHealth(service),
    ...ofBackends(service),
  ];
}

function ofTids(service: TftpServiceConfig): Finding[] {
  const { tids } = service;
  if (tids.kind !== 'ephemeral') return [];
  return ofPortRange(service, { flag: '--tid-ports', range: tids.ports, carried: 'sessions per address' });
}

function ofPassivePorts(service: FtpServiceConfig): Finding[] {
  const carried = 'passive clients about to connect, on all addresses together';
  return ofPortRange(service, { flag: '--passive-ports', range: service.data.passivePorts, carried });
}

interface PortOption {
  readonly flag: string;
  readonly range: PortRange | undefined;
  /** What takes one port each. */
  readonly carried: string;
}

function ofPortRange(service: ServiceConfig, { flag, range, carried }: PortOption): Finding[] {
  if (range === undefined) return [];
  const { limits, listeners } = service;
  const { first, last } = range;
  const ports = last - first + 1;
  const inside = listeners.find(({ port }) => port >= first && port <= last);
  return [
    ...when(limits.total === 0 || ports < limits.total, 'port-range-small', () => {
      const wanted = limits.total === 0 ? 'any number of' : String(limits.total);
      return `${flag} ${first}-${last} carries ${ports} ${carried}, ${limitFlag(service)} allows ${wanted}`;
    }),
    ...when(inside !== undefined, 'port-range-overlap', () => {
      return `${flag} ${first}-${last} contains the listening port ${inside?.port}`;
    }),
  ];
}

/** Each session takes one towards its backend and, without a range or single port of its own, one for its client. */
function ofLocalPorts({ limits, tids }: TftpServiceConfig, { ephemeralPorts }: Machine): Finding[] {
  const { first, last } = ephemeralPorts;
  const ports = last - first + 1;
  const needed = limits.total * (tids.kind === 'ephemeral' && tids.ports === undefined ? 2 : 1);
  return when(ports < needed, 'port-range-small', () => {
    return `--max-sessions ${limits.total} can need ${needed} local ports, this system has ${ports} (net.ipv4.ip_local_port_range ${first}-${last})`;
  });
}

function ofDescriptors(service: ServiceConfig, { descriptors = Infinity }: Machine): Finding[] {
  const needed = neededBy(service) + besides;
  return when(needed > descriptors, 'descriptors-short', () => {
    const carried = Math.max(0, Math.floor((descriptors - besides) / perSession(service)));
    return `${limitFlag(service)} ${service.limits.total} can need ${needed} descriptors, the limit of this process is ${descriptors} (enough for ${carried} sessions)`;
  });
}

/** Services that the process can carry one by one, and not together. */
function ofAllDescriptors({ services }: Config, { descriptors = Infinity }: Machine): Finding[] {
  const needs = services.map(neededBy);
  const needed = needs.reduce((sum, need) => sum + need, besides);
  const isNews = needs.every((need) => need + besides <= descriptors);
  return when(isNews && needed > descriptors, 'descriptors-short', () => {
    const limits = services.map((service) => `${limitFlag(service)} ${service.limits.total}`);
    return `${limits.join(' and ')} can need ${needed} descriptors together, the limit of this process is ${descriptors}`;
  });
}

/** Descriptors of all sessions that a service may have; of one without a limit, it is the limit that is spoken of. */
function neededBy(service: ServiceConfig): number {
  return service.limits.total * perSession(service);
}

function perSession(service: ServiceConfig): number {
  return service.kind === 'tftp' ? perTftpSession[service.tids.kind] : perFtpSession;
}

function ofLimits(service: ServiceConfig): Finding[] {
  const { limits, backends } = service;
  const { total, perClient, perBackend } = limits;
  const flag = limitFlag(service);
  const reachable = perBackend * backends.length;
  return [
    ...when(
      total === 0,
      'no-session-limit',
      () => `${flag} 0 lets clients use up all memory and descriptors`,
    ),
    ...when(total > 0 && perClient > total, 'limit-without-effect', () => {
      return `${flag}-per-client ${perClient} is above ${flag} ${total}`;
    }),
    ...when(total > 0 && perBackend > total, 'limit-without-effect', () => {
      return `${flag}-per-backend ${perBackend} is above ${flag} ${total}`;
    }),
    ...when(perBackend > 0 && reachable < total, 'limit-without-effect', () => {
      return `${flag} ${total} is out of reach: ${backends.length} backends with ${perBackend} each carry ${reachable}`;
    }),
  ];
}

/** The option that bounds a service's sessions. */
function limitFlag({ kind }: ServiceConfig): string {
  return kind === 'tftp' ? '--max-sessions' : '--ftp-max-sessions';
}

function ofHealth(service: ServiceConfig): Finding[] {
  const { interval, timeout } = service.health;
  const tryInterval = service.kind === 'tftp' ? service.timing.tryInterval : 0;
  return [
    ...when(
      interval === 0,
      'health-off',
      () => 'without health checks only failing transfers show that a backend is dead',
    ),
    ...when(interval > 0 && timeout > interval, 'health-timeout-long', () => {
      return `--health-timeout ${formatDuration(timeout)} is above --health-interval ${formatDuration(interval)}: checks come less often`;
    }),
    ...when(tryInterval > shortestPatience, 'try-interval-long', () => {
      return `--try-interval ${formatDuration(tryInterval)} is longer than clients wait before they ask again (${formatDuration(shortestPatience)})`;
    }),
  ];
}

function ofBackends({ backends }: ServiceConfig): Finding[] {
  return backends.flatMap((backend, at) => {
    const other = backends
      .slice(0, at)
      .find(({ host, port }) => host === backend.host && port === backend.port);
    if (other === undefined) return [];
    const place = formatHostPort(backend.host, backend.port);
    return [
      finding('backend-twice', `backends ${other.name} and ${backend.name} are the same server, ${place}`),
    ];
  });
}

function ofAdmin({ admin }: Config): Finding[] {
  if (admin === undefined || isLoopback(admin.address)) return [];
  const place = formatHostPort(admin.address, admin.port);
  return [
    finding('admin-public', `--admin ${place} shows metrics and status to whoever reaches that address`),
  ];
}

function when(holds: boolean, kind: FindingKind, message: () => string): Finding[] {
  return holds ? [finding(kind, message())] : [];
}

function finding(kind: FindingKind, message: string): Finding {
  return { kind, message };
}
