/** Metrics of what happens for every datagram: nobody tells of it, the counters are read when somebody asks. */
import { Counter, Gauge, type Registry } from 'prom-client';

import { type DropReason, dropReasons } from './events.ts';
import { backendStates, type StateWord } from './status.ts';

export const directions = ['to-client', 'to-backend'] as const;
export type Direction = (typeof directions)[number];

export interface Traffic {
  readonly datagrams: number;
  readonly bytes: number;
}

export interface BackendCounters {
  readonly service: string;
  readonly backend: string;
  readonly state: StateWord;
  readonly isUp: boolean;
  readonly isEnabled: boolean;
  readonly isEjected: boolean;
  /** What it counts now. */
  readonly weight: number;
  /** Sessions that have not ended. */
  readonly active: number;
  readonly traffic: Readonly<Record<Direction, Traffic>>;
}

export interface ServiceCounters {
  readonly service: string;
  drops(reason: DropReason): number;
}

/** What the data plane has counted so far, summed over its workers. */
export interface HotCounters {
  backends(): readonly BackendCounters[];
  services(): readonly ServiceCounters[];
}

export function registerHotMetrics(registry: Registry, counters: HotCounters): void {
  registerTraffic(registry, counters);
  registerDrops(registry, counters);
  registerBackendGauges(registry, counters);
  registerBackendStates(registry, counters);
}

function registerTraffic(registry: Registry, counters: HotCounters): void {
  const labelNames = ['service', 'backend', 'direction'] as const;
  const measures = [
    ['bytes', 'tftplb_bytes_total', 'Bytes of the datagrams that were relayed.'],
    ['datagrams', 'tftplb_datagrams_total', 'Datagrams that were relayed.'],
  ] as const;
  for (const [measure, name, help] of measures) {
    const counter: Counter<(typeof labelNames)[number]> = new Counter({
      name,
      help,
      labelNames,
      registers: [registry],
      collect() {
        counter.reset();
        for (const { service, backend, traffic } of counters.backends()) {
          for (const direction of directions) {
            counter.inc({ service, backend, direction }, traffic[direction][measure]);
          }
        }
      },
    });
  }
}

function registerDrops(registry: Registry, counters: HotCounters): void {
  const drops: Counter<'service' | 'reason'> = new Counter({
    name: 'tftplb_dropped_datagrams_total',
    help: 'Datagrams that were not relayed.',
    labelNames: ['service', 'reason'],
    registers: [registry],
    collect() {
      drops.reset();
      for (const counted of counters.services()) {
        const { service } = counted;
        for (const reason of dropReasons) drops.inc({ service, reason }, counted.drops(reason));
      }
    },
  });
}

function registerBackendGauges(registry: Registry, counters: HotCounters): void {
  const states: readonly (readonly [name: string, help: string, read: (row: BackendCounters) => number])[] = [
    ['tftplb_sessions_active', 'Sessions that have not ended.', (row) => row.active],
    ['tftplb_backend_up', '1 if health checks find the backend up, else 0.', (row) => Number(row.isUp)],
    [
      'tftplb_backend_enabled',
      '1 if the operator lets it have sessions, else 0.',
      (row) => Number(row.isEnabled),
    ],
    [
      'tftplb_backend_ejected',
      '1 while it is tried last because of refusals or silence.',
      (row) => Number(row.isEjected),
    ],
    ['tftplb_backend_weight', 'Share of the sessions, relative to the others.', (row) => row.weight],
  ];
  for (const [name, help, read] of states) {
    const gauge: Gauge<'service' | 'backend'> = new Gauge({
      name,
      help,
      labelNames: ['service', 'backend'],
      registers: [registry],
      collect() {
        gauge.reset();
        for (const row of counters.backends()) {
          gauge.set({ service: row.service, backend: row.backend }, read(row));
        }
      },
    });
  }
}

function registerBackendStates(registry: Registry, counters: HotCounters): void {
  const gauge: Gauge<'service' | 'backend' | 'state'> = new Gauge({
    name: 'tftplb_backend_state',
    help: '1 for the state that the backend is in, 0 for all others.',
    labelNames: ['service', 'backend', 'state'],
    registers: [registry],
    collect() {
      gauge.reset();
      for (const { service, backend, state } of counters.backends()) {
        for (const word of backendStates)
          gauge.set({ service, backend, state: word }, Number(word === state));
      }
    },
  });
}
