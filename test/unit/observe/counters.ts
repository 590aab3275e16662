/** Counters of a data plane that stands still, for the tests of those who read them. */
import type { BackendCounters, HotCounters, ServiceCounters } from '../../../src/observe/hot-metrics.ts';

export function countersOf(fields: Partial<BackendCounters> = {}): BackendCounters {
  return {
    service: 'tftp',
    backend: 'a',
    state: 'up',
    isUp: true,
    isEnabled: true,
    isEjected: false,
    weight: 1,
    active: 0,
    traffic: { 'to-client': { datagrams: 0, bytes: 0 }, 'to-backend': { datagrams: 0, bytes: 0 } },
    ...fields,
  };
}

/** Reads both lists anew at each scrape, so that a test may change them in between. */
export function still(backends: BackendCounters[], services: ServiceCounters[] = []): HotCounters {
  return { backends: () => backends, services: () => services };
}
