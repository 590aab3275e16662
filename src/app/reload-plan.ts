/** What a new configuration changes in a balancer that runs: found out before anything is done. */
import { isDeepStrictEqual } from 'node:util';

import { covers, formatHostPort } from '../config/address.ts';
import type { Config, ServiceConfig } from '../config/config.ts';
import type { ListenerSpec } from '../engine/snapshot.ts';

export interface ReloadPlan {
  /** What cannot be changed while the balancer runs, a line each; with any of them nothing is changed. */
  readonly refusals: readonly string[];
  readonly added: readonly ServiceConfig[];
  readonly removed: readonly ServiceConfig[];
  /** Services that stay, as they are to be. */
  readonly kept: readonly ServiceConfig[];
  /** What changes, in words for a log. */
  readonly changes: readonly string[];
}

export function planReload(before: Config, after: Config): ReloadPlan {
  const added = after.services.filter((service) => !counterpart(before, service));
  const removed = before.services.filter((service) => !counterpart(after, service));
  const kept = after.services.filter((service) => counterpart(before, service));
  return {
    refusals: [...refusedSettings(before, after), ...refusedListeners(before, after)],
    added,
    removed,
    kept,
    changes: [
      ...removed.map(({ name }) => `service ${name} removed`),
      ...added.map(({ name }) => `service ${name} added`),
      ...kept.flatMap((service) => changesOf(service, counterpart(before, service) ?? service)),
      ...settings.filter(({ key }) => !isDeepStrictEqual(before[key], after[key])).map(({ name }) => name),
    ],
  };
}

/** A service of another protocol is another one, whatever its name is. */
function counterpart({ services }: Config, { name, kind }: ServiceConfig): ServiceConfig | undefined {
  return services.find((service) => service.name === name && service.kind === kind);
}

/** What can be changed besides services. */
const settings = [
  { key: 'admin', name: 'admin' },
  { key: 'log', name: 'log' },
  { key: 'drainTimeout', name: 'drain-timeout' },
] as const;

/** What threads are made with. */
const fixed = [
  { key: 'workers', name: 'workers' },
  { key: 'engine', name: 'engine' },
  { key: 'busyPoll', name: 'busy-poll' },
] as const;

function refusedSettings(before: Config, after: Config): string[] {
  return fixed
    .filter(({ key }) => before[key] !== after[key])
    .map(({ key, name }) => `${name} cannot change from ${before[key]} to ${after[key]} without a restart`);
}

/**
 * A listener that stands for the addresses of another one, or the other way around, can be had only when that is gone:
 * should it fail then, neither would be there.
 */
function refusedListeners(before: Config, after: Config): string[] {
  return after.services.flatMap((service) =>
    service.listeners.flatMap((listener) => {
      const held = listenersOf(before, service.kind);
      if (held.some((other) => isDeepStrictEqual(other, listener))) return [];
      const other = held.find((candidate) => overlap(candidate, listener));
      if (other === undefined) return [];
      return [
        `service ${service.name} cannot listen on ${placeOf(listener)} without a restart: the balancer listens on ${placeOf(other)}`,
      ];
    }),
  );
}

function listenersOf({ services }: Config, kind: ServiceConfig['kind']): ListenerSpec[] {
  return services.filter((service) => service.kind === kind).flatMap(({ listeners }) => listeners);
}

function overlap(one: ListenerSpec, other: ListenerSpec): boolean {
  const isSamePort = one.port === other.port && one.port !== 0;
  return isSamePort && (covers(one.address, other.address) || covers(other.address, one.address));
}

function placeOf({ address, port }: ListenerSpec): string {
  return formatHostPort(address, port);
}

/** Sections of a file that differ; what protocols have for themselves is one of them. */
function changesOf(service: ServiceConfig, before: ServiceConfig): string[] {
  const earlier = new Map<string, unknown>(Object.entries(before));
  const differing = Object.entries(service).flatMap(([key, value]) =>
    isDeepStrictEqual(value, earlier.get(key)) ? [] : [sections.has(key) ? key : service.kind],
  );
  return differing.length === 0 ? [] : [`service ${service.name}: ${[...new Set(differing)].join(', ')}`];
}

const sections: ReadonlySet<string> = new Set([
  'listeners',
  'backends',
  'discovery',
  'policy',
  'limits',
  'access',
  'rates',
  'affinity',
  'routes',
  'health',
]);
