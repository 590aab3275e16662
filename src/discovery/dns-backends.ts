/** Backends as DNS describes them: the addresses of a name, or the hosts and ports of a service. */
import type { FoundBackend } from '../balance/pool.ts';
import { addressesOfOneFamily } from './addresses.ts';
import { maxWeight } from './backend-spec.ts';
import { DnsError } from './dns-error.ts';
import { ipv4Records, ipv6Records, type ServiceRecord, serviceRecords } from './dns-records.ts';
import type { DnsResolver, Resolution } from './dns-resolver.ts';
import { together } from './together.ts';

/** Names of hosts that are looked up at the same time. */
const maxLookups = 16;
const maxBackends = 1_024;

export interface DnsFinding {
  /** In an order that stays while they do. */
  readonly backends: readonly FoundBackend[];
  /** Seconds for which all of it holds. */
  readonly ttl: number;
}

export interface AddressOptions {
  readonly name: string;
  readonly port: number;
  /** Undefined: IPv4 if the name has any, else IPv6. */
  readonly family: 4 | 6 | undefined;
}

/** Each address of a name as a backend, which is called what its address is. */
export async function findAddresses(
  resolver: DnsResolver,
  { name, port, family }: AddressOptions,
  signal: AbortSignal,
): Promise<DnsFinding> {
  const { records: addresses, ttl } = await addressesOf(resolver, name, family, signal);
  return { backends: addresses.map((address) => ({ name: address, address, port, weight: 1 })), ttl };
}

/**
 * Each address of each host that offers a service (RFC 2782) as a backend, called `host:port`, or `host:port@address`
 * where the host has several. Hosts of the best priority alone count: the others stand by until DNS names no better one.
 */
export async function findServices(
  resolver: DnsResolver,
  { name, family }: Omit<AddressOptions, 'port'>,
  signal: AbortSignal,
): Promise<DnsFinding> {
  const { records, ttl } = await resolver.resolve(name, serviceRecords, signal);
  const offers = Map.groupBy(scaleWeights(bestOf(records)), ({ target }) => target);
  let count = 0;
  const lookups = [...offers].map(([host, services]) => async (stop: AbortSignal): Promise<DnsFinding> => {
    const { records: addresses, ttl } = await addressesOf(resolver, host, family, stop);
    count += services.length * addresses.length;
    if (count > maxBackends) throw new DnsError(`${name} has more than ${maxBackends} backends`);
    return { backends: services.flatMap((service) => backendsOf(service, addresses)), ttl };
  });
  const found = await together(lookups, maxLookups, signal);
  return {
    backends: found.flatMap(({ backends }) => backends),
    ttl: Math.min(ttl, ...found.map((finding) => finding.ttl)),
  };
}

async function addressesOf(
  resolver: DnsResolver,
  name: string,
  family: 4 | 6 | undefined,
  signal: AbortSignal,
): Promise<Resolution<string>> {
  const kinds = [...(family === 6 ? [] : [ipv4Records]), ...(family === 4 ? [] : [ipv6Records])];
  const jobs = kinds.map((kind) => (stop: AbortSignal) => resolver.resolve(name, kind, stop));
  const found = await together(jobs, jobs.length, signal);
  return {
    records: addressesOfOneFamily(found.flatMap(({ records }) => records)),
    ttl: Math.min(...found.map(({ ttl }) => ttl)),
  };
}

/** The records of the lowest priority value, one for each host and port, sorted by these. */
function bestOf(records: readonly ServiceRecord[]): ServiceRecord[] {
  const offered = records.filter(({ target }) => target !== '');
  const best = Math.min(...offered.map(({ priority }) => priority));
  const byPlace = new Map(
    offered.filter(({ priority }) => priority === best).map((record) => [placeOf(record), record]),
  );
  return [...byPlace].sort(([one], [other]) => (one < other ? -1 : 1)).map(([, record]) => record);
}

function placeOf({ target, port }: ServiceRecord): string {
  return `${target}:${port}`;
}

/**
 * Weights of 0 to 65535 become ours of 1 to 256 in the same proportion. A weight of 0 among others means "hardly ever"
 * and becomes 1 beside a largest one of 256.
 */
function scaleWeights(records: readonly ServiceRecord[]): ServiceRecord[] {
  const weights = records.map(({ weight }) => weight);
  const largest = Math.max(...weights);
  const fits = largest <= maxWeight && (largest === 0 || !weights.includes(0));
  const scale = fits ? 1 : maxWeight / largest;
  return records.map((record) => ({ ...record, weight: Math.max(1, Math.round(record.weight * scale)) }));
}

function backendsOf(service: ServiceRecord, addresses: readonly string[]): FoundBackend[] {
  const { port, weight } = service;
  const place = placeOf(service);
  return addresses.map((address) => ({
    name: addresses.length === 1 ? place : `${place}@${address}`,
    address,
    port,
    weight,
  }));
}
