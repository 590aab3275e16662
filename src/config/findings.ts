/** What is legal and probably wrong. Nothing here stops the balancer; `check` prints it and `serve` logs it. */
import type { PortRange } from '../engine/snapshot.ts';
import { covers, formatHostPort, isLoopback, isPublic, isUnspecified } from './address.ts';
import type { Config, FtpServiceConfig, ServiceConfig, TftpServiceConfig } from './config.ts';
import type { Path } from './document.ts';
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
  'user-without-backend',
  'open-to-writes',
  'backend-unverified',
  'passthrough-blind',
  'tls-without-effect',
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
  /** Those that unspecified listeners stand for. */
  readonly addresses: readonly string[];
  /** What TFTP would be served with here. */
  readonly engine: 'linux' | 'portable';
}

/** What an operator calls a place of the configuration: by its flag or by its keys. */
type NameOf = (path: Path) => string;

/** Names of backends that a user map has, by its path. */
export type MappedBackends = ReadonlyMap<string, readonly string[]>;

interface Scene {
  readonly machine: Machine;
  readonly mapped: MappedBackends;
  readonly nameOf: NameOf;
}

/**
 * Descriptors of a session with sockets of its own, before its backend has answered: towards the client, and two towards
 * the backend.
 */
const perTftpSession = { ephemeral: 3, 'single-port': 2 } as const;
/** On shared sockets sessions with different backends have one in common: the most are needed where all have the same. */
const perSharedSession = 1;
/** With the addresses of clients sockets towards backends are not shared; the first two backends may be asked at once. */
const perTransparentSession = 2;
/** Two control connections, two data connections and a listener. */
const perFtpSession = 5;
/** What the process needs besides: log, admin connections, listeners, health checks, the runtime itself, shared sockets. */
const besides = { linux: 512, portable: 128 } as const;
/** EDK2 repeats its request after this time, sooner than most; a try that lasts longer helps nobody (milliseconds). */
const shortestPatience = 3000;

/** In the order in which they are shown. User maps that are not in `mapped` are taken for sound. */
export function findings(
  config: Config,
  machine: Machine,
  nameOf: NameOf,
  mapped: MappedBackends = new Map(),
): Finding[] {
  const scene = { machine, nameOf, mapped };
  const all = [
    ...config.services.flatMap((service) => ofService(service, scene)),
    ...config.services.flatMap((service, at) => ofSharedPorts(service, config.services.slice(0, at), scene)),
    ...ofAllDescriptors(config, scene),
    ...ofAdmin(config, scene),
  ];
  // What is odd about the checks that both protocols have is said once.
  return all.filter(({ message }, at) => all.findIndex((other) => other.message === message) === at);
}

function ofService(service: ServiceConfig, scene: Scene): Finding[] {
  return [
    ...ofPortRange(service, scene),
    ...(service.kind === 'tftp' ? ofLocalPorts(service, scene) : []),
    ...ofDescriptors(service, scene),
    ...ofLimits(service, scene),
    ...ofHealth(service, scene),
    ...ofBackends(service),
    ...(service.kind === 'ftp' ? ofUserMap(service, scene) : []),
    ...ofWrites(service, scene),
    ...(service.kind === 'ftp' ? ofTls(service, scene) : []),
  ];
}

interface PortOption {
  /** Where it stands. */
  readonly path: Path;
  readonly range: PortRange | undefined;
  /** What takes one port each. */
  readonly carried: string;
}

function portOptionOf(service: ServiceConfig): PortOption {
  return service.kind === 'tftp' ? tidPortsOf(service) : passivePortsOf(service);
}

function tidPortsOf({ name, tids }: TftpServiceConfig): PortOption {
  const range = tids.kind === 'ephemeral' ? tids.ports : undefined;
  return { path: ['services', name, 'tftp', 'tid-ports'], range, carried: 'sessions per address' };
}

function passivePortsOf({ name, data }: FtpServiceConfig): PortOption {
  const carried = 'passive clients about to connect, on all addresses together';
  return { path: ['services', name, 'ftp', 'passive-ports'], range: data.passivePorts, carried };
}

function ofPortRange(service: ServiceConfig, { machine, nameOf }: Scene): Finding[] {
  const { path, range, carried } = portOptionOf(service);
  if (range === undefined) return [];
  // A port that is shared carries any number of clients.
  const isShared = service.kind === 'tftp' && machine.engine === 'linux';
  const flag = nameOf(path);
  const { limits, listeners } = service;
  const { first, last } = range;
  const ports = last - first + 1;
  const inside = listeners.find(({ port }) => port >= first && port <= last);
  return [
    ...when(!isShared && (limits.total === 0 || ports < limits.total), 'port-range-small', () => {
      const wanted = limits.total === 0 ? 'any number of' : String(limits.total);
      return `${flag} ${first}-${last} carries ${ports} ${carried}, ${limitName(service, nameOf)} allows ${wanted}`;
    }),
    ...when(inside !== undefined, 'port-range-overlap', () => {
      return `${flag} ${first}-${last} contains the listening port ${inside?.port}`;
    }),
  ];
}

/** Two services of one protocol on one address want the same ports. */
function ofSharedPorts(
  service: ServiceConfig,
  others: readonly ServiceConfig[],
  { nameOf }: Scene,
): Finding[] {
  const { path, range } = portOptionOf(service);
  if (range === undefined) return [];
  return others.flatMap((other) => {
    const theirs = portOptionOf(other);
    const isOverlap =
      theirs.range !== undefined && theirs.range.first <= range.last && theirs.range.last >= range.first;
    return when(
      isOverlap && service.kind === other.kind && shareAddress(service, other),
      'port-range-overlap',
      () => {
        return `${nameOf(path)} ${range.first}-${range.last} overlaps with ${nameOf(theirs.path)} on the same address`;
      },
    );
  });
}

function shareAddress(one: ServiceConfig, other: ServiceConfig): boolean {
  return one.listeners.some(({ address }) =>
    other.listeners.some((theirs) => covers(address, theirs.address) || covers(theirs.address, address)),
  );
}

/** Each session takes one towards its backend and, without a range or single port of its own, one for its client if that is not shared. */
function ofLocalPorts(service: TftpServiceConfig, { machine, nameOf }: Scene): Finding[] {
  const { limits, tids } = service;
  const { first, last } = machine.ephemeralPorts;
  const ports = last - first + 1;
  const hasOwn = machine.engine === 'portable' && tids.kind === 'ephemeral' && tids.ports === undefined;
  const needed = limits.total * (hasOwn ? 2 : 1);
  return when(ports < needed, 'port-range-small', () => {
    return `${limitName(service, nameOf)} ${limits.total} can need ${needed} local ports, this system has ${ports} (net.ipv4.ip_local_port_range ${first}-${last})`;
  });
}

function ofDescriptors(service: ServiceConfig, { machine, nameOf }: Scene): Finding[] {
  const { descriptors = Infinity, engine } = machine;
  const needed = neededBy(service, engine) + besides[engine];
  return when(needed > descriptors, 'descriptors-short', () => {
    const carried = Math.max(0, Math.floor((descriptors - besides[engine]) / perSession(service, engine)));
    return `${limitName(service, nameOf)} ${service.limits.total} can need ${needed} descriptors, the limit of this process is ${descriptors} (enough for ${carried} sessions)`;
  });
}

/** Services that the process can carry one by one, and not together. */
function ofAllDescriptors({ services }: Config, { machine, nameOf }: Scene): Finding[] {
  const { descriptors = Infinity, engine } = machine;
  const needs = services.map((service) => neededBy(service, engine));
  const needed = needs.reduce((sum, need) => sum + need, besides[engine]);
  const isNews = needs.every((need) => need + besides[engine] <= descriptors);
  return when(isNews && needed > descriptors, 'descriptors-short', () => {
    const limits = services.map((service) => `${limitName(service, nameOf)} ${service.limits.total}`);
    return `${limits.join(' and ')} can need ${needed} descriptors together, the limit of this process is ${descriptors}`;
  });
}

/** Descriptors of all sessions that a service may have; of one without a limit, it is the limit that is spoken of. */
function neededBy(service: ServiceConfig, engine: Machine['engine']): number {
  return service.limits.total * perSession(service, engine);
}

function perSession(service: ServiceConfig, engine: Machine['engine']): number {
  if (service.kind === 'ftp') return perFtpSession;
  if (engine === 'portable') return perTftpSession[service.tids.kind];
  return service.requests.transparent || service.requests.backendAnyAddress
    ? perTransparentSession
    : perSharedSession;
}

function ofLimits(service: ServiceConfig, { nameOf }: Scene): Finding[] {
  const { limits, backends } = service;
  const { total, perClient, perBackend } = limits;
  const flag = limitName(service, nameOf);
  // How many will be found is not known.
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
    ...when(backends.length > 0 && perBackend > 0 && reachable < total, 'limit-without-effect', () => {
      return `${flag} ${total} is out of reach: ${backends.length} backends with ${perBackend} each carry ${reachable}`;
    }),
  ];
}

/** What bounds a service's sessions. */
function limitName({ name }: ServiceConfig, nameOf: NameOf): string {
  return nameOf(['services', name, 'limits', 'max-sessions']);
}

function ofHealth(service: ServiceConfig, { nameOf }: Scene): Finding[] {
  const { interval, timeout } = service.health;
  const health = (key: string): string => nameOf(['services', service.name, 'health', key]);
  return [
    ...when(interval === 0, 'health-off', () => {
      return `${health('interval')} 0: without health checks only failing transfers show that a backend is dead`;
    }),
    ...when(interval > 0 && timeout > interval, 'health-timeout-long', () => {
      return `${health('timeout')} ${formatDuration(timeout)} is above ${health('interval')} ${formatDuration(interval)}: checks come less often`;
    }),
    ...(service.kind === 'tftp' ? ofPatience(service, nameOf) : []),
  ];
}

function ofPatience({ name, timing: { tryInterval } }: TftpServiceConfig, nameOf: NameOf): Finding[] {
  return when(tryInterval > shortestPatience, 'try-interval-long', () => {
    const key = nameOf(['services', name, 'tftp', 'try-interval']);
    return `${key} ${formatDuration(tryInterval)} is longer than clients wait before they ask again (${formatDuration(shortestPatience)})`;
  });
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

/** What will be found is not known. */
function ofUserMap({ name, userMap = '', backends }: FtpServiceConfig, { mapped, nameOf }: Scene): Finding[] {
  const known = new Set(backends.map((backend) => backend.name));
  const strangers = (mapped.get(userMap) ?? []).filter((backend) => !known.has(backend));
  return when(known.size > 0 && strangers.length > 0, 'user-without-backend', () => {
    const key = nameOf(['services', name, 'ftp', 'user-map']);
    const [first = '', ...others] = strangers;
    const more = others.length === 0 ? '' : ` (and ${others.length} more)`;
    return `${key} ${userMap} has users of ${JSON.stringify(first)}${more}, and service ${name} has no such backend: they get 421`;
  });
}

/** Whoever reaches a public address may write, since neither protocol proves who asks. */
function ofWrites(service: ServiceConfig, { machine, nameOf }: Scene): Finding[] {
  if (isGuarded(service)) return [];
  const open = service.listeners
    .flatMap(({ address }) =>
      isUnspecified(address) ? machine.addresses.filter((own) => covers(address, own)) : [address],
    )
    .find(isPublic);
  return when(open !== undefined, 'open-to-writes', () => {
    const readOnly = nameOf(['services', service.name, 'read-only']);
    const allow = nameOf(['services', service.name, 'access', 'allow']);
    return `service ${service.name} takes writes from whoever reaches ${open}, a public address; ${readOnly} refuses them, ${allow} says who may`;
  });
}

function ofTls(service: FtpServiceConfig, scene: Scene): Finding[] {
  const { name, tls, commands, userMap, policy } = service;
  const { nameOf } = scene;
  const key = (...path: readonly string[]): string => nameOf(['services', name, 'ftp', ...path]);
  const isUnverified = tls.backend.mode !== 'off' && !tls.backend.isVerified;
  const isBlind =
    commands.readOnly || commands.denied.length > 0 || userMap !== undefined || policy === 'user-hash';
  return [
    ...when(isUnverified, 'backend-unverified', () => {
      return `${key('backend-tls', 'insecure')} takes any certificate: whoever is between the balancer and a server of ${name} can read and change everything`;
    }),
    ...when(tls.mode === 'passthrough' && isBlind, 'passthrough-blind', () => {
      return `${key('tls', 'mode')} passthrough reads nothing of service ${name}: what it is told of commands and users has no effect`;
    }),
    ...ofIdleTls(service, scene),
  ];
}

/** What is said of TLS on a leg that has none. */
function ofIdleTls({ name, tls, listeners }: FtpServiceConfig, { nameOf }: Scene): Finding[] {
  const key = (...path: readonly string[]): string => nameOf(['services', name, 'ftp', ...path]);
  const { mode, client, backend } = tls;
  const hasClientTls = listeners.some(({ isImplicit }) => isImplicit === true);
  const hasNone = mode === 'passthrough' || (mode === 'off' && !hasClientTls);
  const ofClients = client.keyPairs.length > 0 ? 'certificates' : client.ca && 'client-ca';
  const ofBackends = backend.ca === undefined ? backend.serverName && 'name' : 'ca';
  return [
    ...when(hasNone && ofClients !== undefined, 'tls-without-effect', () => {
      return `${key('tls', ofClients ?? '')} has no effect with ${key('tls', 'mode')} ${mode}: allowed or required lets clients have TLS`;
    }),
    ...when(backend.mode === 'off' && ofBackends !== undefined, 'tls-without-effect', () => {
      return `${key('backend-tls', ofBackends ?? '')} has no effect with ${key('backend-tls', 'mode')} off: servers of ${name} are spoken to in clear`;
    }),
  ];
}

/** Whether something keeps strangers from writing. */
function isGuarded(service: ServiceConfig): boolean {
  if ((service.access?.allow.length ?? 0) > 0) return true;
  return service.kind === 'tftp' ? service.requests.readOnly : service.commands.readOnly;
}

function ofAdmin({ admin: { listen, tokenFile } }: Config, { nameOf }: Scene): Finding[] {
  if (listen === undefined || isLoopback(listen.address)) return [];
  const place = `${nameOf(['admin', 'listen'])} ${formatHostPort(listen.address, listen.port)}`;
  return [
    finding(
      'admin-public',
      `${place} shows metrics and status to whoever reaches that address${tokenFile === undefined ? '' : ', and its token crosses the network as it is'}`,
    ),
  ];
}

function when(holds: boolean, kind: FindingKind, message: () => string): Finding[] {
  return holds ? [finding(kind, message())] : [];
}

function finding(kind: FindingKind, message: string): Finding {
  return { kind, message };
}
