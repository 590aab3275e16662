/**
 * What no section can know alone: contradictions within a service and between services. Each looks at those listeners
 * and backends that are sound by themselves, so that one mistake hides no other.
 */
import type { ListenerSpec } from '../engine/snapshot.ts';
import { covers, formatHostPort, isLabel, isLoopback } from './address.ts';
import { backend } from './backend.ts';
import type { BackendConfig } from './config.ts';
import type { Path } from './document.ts';
import * as field from './fields.ts';
import { isRecord } from './json-schema.ts';
import { listener } from './listener.ts';
import type { Complaint } from './section.ts';
import { defaultPorts } from './sections/services.ts';
import { didYouMean } from './suggest.ts';

const [listenerField, backendField, portField] = [listener(), backend(), field.integer(0, 65_535)];

interface Placed<T> {
  readonly path: Path;
  readonly spec: T;
}

/** What is sound of a service. */
interface Facts {
  readonly path: Path;
  readonly name: string;
  readonly kind: 'tftp' | 'ftp';
  readonly listeners: readonly Placed<ListenerSpec>[];
  readonly backends: readonly Placed<BackendConfig>[];
  readonly isListed: boolean;
  /** What is to find backends that are not listed. */
  readonly finders: readonly Path[];
  /** Names of backends in routes. */
  readonly routed: readonly Placed<string>[];
}

/** Of a whole configuration, as it was said. */
export function contradictions(content: unknown): Complaint[] {
  const services = isRecord(content) && isRecord(content['services']) ? content['services'] : {};
  const facts = Object.entries(services).flatMap(([name, service]) => factsOf(name, service) ?? []);
  return [
    ...Object.keys(services).flatMap(wrongName),
    ...facts.flatMap((own) => [
      ...oneSource(own),
      ...distinctNames(own),
      ...distinctListeners(own),
      ...noLoop(own),
      ...knownInRoutes(own),
    ]),
    ...facts.flatMap((own, at) => ownListeners(own, facts.slice(0, at))),
  ];
}

function wrongName(name: string): Complaint[] {
  return isLabel(name) ? [] : [complaint(['services', name], `expected a name of ${field.labelForm}`)];
}

/** Backends are listed, or found somewhere. */
function oneSource({ path, isListed, finders }: Facts): Complaint[] {
  if (isListed)
    return finders.map((finder) => complaint(finder, 'cannot stand beside backends that are listed'));
  const problem = 'required: servers to balance over, HOST[:PORT] (or discovery.dns, or discovery.file)';
  return finders.length === 0 ? [complaint([...path, 'backends'], problem)] : [];
}

/** What is found is not known yet; a backend that is listed is, by its name. */
function knownInRoutes({ isListed, backends, routed }: Facts): Complaint[] {
  const names = new Set(backends.map(({ spec: { name } }) => name));
  const strangers = isListed ? routed.filter(({ spec }) => !names.has(spec)) : [];
  return strangers.map(({ path, spec }) => {
    return complaint(path, `no backend of the service has that name${didYouMean(spec, [...names])}`);
  });
}

function distinctNames({ backends }: Facts): Complaint[] {
  return backends.flatMap(({ path, spec: { name } }, at) =>
    backends.findIndex(({ spec }) => spec.name === name) < at
      ? [complaint(path, `a backend named ${name} stands before it; give one of them another name`)]
      : [],
  );
}

function distinctListeners({ listeners }: Facts): Complaint[] {
  return listeners.flatMap(({ path, spec }, at) => {
    const other = listeners.find(({ spec: before }, place) =>
      before.address === spec.address ? place < at && before.port === spec.port : isCovered(spec, before),
    );
    if (other === undefined) return [];
    const { address, port } = other.spec;
    if (path.at(-1) !== 'implicit-port') return [complaint(path, `${address} covers it already`)];
    const place = formatHostPort(address, port);
    return [complaint(path, `sessions at ${place} begin in clear; give another port, such as 990`)];
  });
}

/** A listener belongs to one service. */
function ownListeners({ kind, listeners }: Facts, before: readonly Facts[]): Complaint[] {
  const taken = before.filter((other) => other.kind === kind);
  return listeners.flatMap(({ path, spec }) =>
    taken.flatMap(({ name, listeners: others }) => {
      const other = others.find((theirs) => isCovered(spec, theirs.spec) || isCovered(theirs.spec, spec));
      if (other === undefined || spec.port === 0) return [];
      const place = formatHostPort(other.spec.address, other.spec.port);
      return [complaint(path, `service ${name} listens there already, on ${place}`)];
    }),
  );
}

function noLoop({ listeners, backends }: Facts): Complaint[] {
  return backends.flatMap(({ path, spec: { host, port } }) => {
    const isSelf = listeners.some(({ spec }) => spec.port === port && reachesItself(spec.address, host));
    if (!isSelf) return [];
    const self = formatHostPort(host, port);
    return [complaint(path, `${self} is where the balancer itself listens; give the server's own port`)];
  });
}

/** Whether a listener on `other` takes all that one on `spec` would. */
function isCovered(spec: ListenerSpec, other: ListenerSpec): boolean {
  return spec.port === other.port && covers(other.address, spec.address);
}

/** `host` may still be a name of this machine: that shows only once it has been looked up. */
function reachesItself(vip: string, host: string): boolean {
  return vip === host || (isLoopback(host) && covers(vip, host));
}

function factsOf(name: string, service: unknown): Facts | undefined {
  if (!isRecord(service)) return undefined;
  const kind = service['protocol'];
  if (kind !== 'tftp' && kind !== 'ftp') return undefined;
  const fallback = defaultPorts[kind];
  const port = service['port'] === undefined ? fallback : portField.safeParse(service['port']).data;
  const path = ['services', name];
  const listeners = entries(service, [...path, 'listeners']).flatMap(({ path, said }) => {
    const spec = listenerField.safeParse(said).data;
    const own = spec?.port ?? port;
    return spec === undefined || own === undefined
      ? []
      : [{ path, spec: { address: spec.address, port: own } }];
  });
  return {
    path,
    name,
    kind,
    listeners: [...listeners, ...implicitListeners(service, path, listeners)],
    backends: entries(service, [...path, 'backends']).flatMap(({ path, said }) => {
      const spec = backendField.safeParse(said).data;
      return spec === undefined ? [] : [{ path, spec: { ...spec, port: spec.port ?? fallback } }];
    }),
    isListed: service['backends'] !== undefined,
    finders: findersOf(service, path),
    routed: entries(service, [...path, 'routes']).flatMap(({ path, said }) => namesIn(said, path)),
  };
}

/** Those that a port for TLS adds, one on each address. */
function implicitListeners(
  { ftp }: Readonly<Record<string, unknown>>,
  path: Path,
  listeners: readonly Placed<ListenerSpec>[],
): Placed<ListenerSpec>[] {
  const tls = isRecord(ftp) && isRecord(ftp['tls']) ? ftp['tls'] : {};
  const port = portField.safeParse(tls['implicit-port']).data;
  if (port === undefined) return [];
  const place = [...path, 'ftp', 'tls', 'implicit-port'];
  return [...new Set(listeners.map(({ spec: { address } }) => address))].map((address) => {
    return { path: place, spec: { address, port } };
  });
}

function findersOf({ discovery }: Readonly<Record<string, unknown>>, path: Path): Path[] {
  const said = isRecord(discovery) ? discovery : {};
  const keys = ['dns', 'file'].filter((key) => said[key] !== undefined);
  return keys.map((key) => path.concat('discovery', key));
}

function namesIn(route: unknown, path: Path): Placed<string>[] {
  if (!isRecord(route)) return [];
  return entries(route, [...path, 'backends']).flatMap(({ path, said }) =>
    typeof said === 'string' ? [{ path, spec: said }] : [],
  );
}

function entries(service: Readonly<Record<string, unknown>>, path: Path): { path: Path; said: unknown }[] {
  const list = service[String(path.at(-1))];
  return Array.isArray(list) ? list.map((said: unknown, at) => ({ path: [...path, at], said })) : [];
}

function complaint(path: Path, problem: string): Complaint {
  return { path, keys: [], problem };
}
