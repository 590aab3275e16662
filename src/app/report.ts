/** What metrics and status read from the scoreboard when somebody asks. */
import type { Backend } from '../balance/pool.ts';
import type { Scoreboard } from '../balance/scoreboard.ts';
import { formatEndpoint, type Endpoint } from '../net/net.ts';
import { dropReasons } from '../observe/events.ts';
import { PassivePool } from '../engine/passive-pool.ts';
import type { PassivePortUse } from '../observe/ftp-metrics.ts';
import type { BackendCounters, HotCounters, ServiceCounters } from '../observe/hot-metrics.ts';
import type { BackendStatus, ServiceReadiness, ServiceStatus, StateWord } from '../observe/status.ts';
import type { ServiceControl } from './service-control.ts';
import type { Services } from './services.ts';

export class Report implements HotCounters {
  readonly #scoreboard: Scoreboard;
  readonly #services: Pick<Services, 'controls'>;

  constructor(scoreboard: Scoreboard, services: Pick<Services, 'controls'>) {
    this.#scoreboard = scoreboard;
    this.#services = services;
  }

  backends(): BackendCounters[] {
    return this.#services.controls.flatMap((control) =>
      control.pool.backends.map((backend) => this.#countersOf(control, backend)),
    );
  }

  services(): ServiceCounters[] {
    return this.#services.controls.map(({ config, index }) => ({
      service: config.name,
      drops: (reason) => this.#scoreboard.drops(index, dropReasons.indexOf(reason)),
    }));
  }

  readiness(control: ServiceControl): ServiceReadiness {
    const { backends } = control.pool;
    const isUsable = ({ index }: Backend): boolean =>
      this.#scoreboard.isEnabled(index) && this.#scoreboard.isUp(index);
    const reasons: string[] = [];
    if (!control.isFirstRoundOver) reasons.push('the first round of health checks is not over');
    if (backends.length === 0) reasons.push('there are no backends');
    else if (!backends.some(isUsable)) reasons.push(`all ${backends.length} backends are down or disabled`);
    return { service: control.config.name, ready: reasons.length === 0, reasons };
  }

  passivePorts(): PassivePortUse[] {
    return this.#services.controls.flatMap(({ spec }) => {
      if (spec.kind !== 'ftp') return [];
      const { used, size } = new PassivePool(spec.passivePool, 0);
      return [{ service: spec.name, used, size }];
    });
  }

  status(control: ServiceControl, listeners: readonly Endpoint[]): ServiceStatus {
    const { config, index, pool } = control;
    return {
      name: config.name,
      kind: config.kind,
      sessions: this.#scoreboard.activeOf(index),
      listeners: listeners.map(({ address, port }) => formatEndpoint(address, port)),
      backends: pool.backends.map((backend) => this.statusOf(control, backend)),
    };
  }

  /** Of a backend in the pool of `control`. */
  statusOf(control: ServiceControl, backend: Backend): BackendStatus {
    const { index, name, address, port } = backend;
    const board = this.#scoreboard;
    const flags = { up: board.isUp(index), enabled: board.isEnabled(index), ejected: board.isEjected(index) };
    const life = control.lifeOf(backend);
    const sessions = board.active(index);
    return {
      name,
      address,
      port,
      state: stateOf({ ...flags, ...life, sessions }),
      ...life,
      ...flags,
      sessions,
      bytesToClient: board.counter('bytesToClient', index),
      bytesToBackend: board.counter('bytesToBackend', index),
      datagramsToClient: board.counter('datagramsToClient', index),
      datagramsToBackend: board.counter('datagramsToBackend', index),
    };
  }

  #countersOf(control: ServiceControl, backend: Backend): BackendCounters {
    const status = this.statusOf(control, backend);
    return {
      service: control.config.name,
      backend: status.name,
      state: status.state,
      isUp: status.up,
      isEnabled: status.enabled,
      isEjected: status.ejected,
      weight: status.effectiveWeight,
      active: status.sessions,
      traffic: {
        'to-client': { datagrams: status.datagramsToClient, bytes: status.bytesToClient },
        'to-backend': { datagrams: status.datagramsToBackend, bytes: status.bytesToBackend },
      },
    };
  }
}

type Standing = Pick<
  BackendStatus,
  'operator' | 'up' | 'ejected' | 'sessions' | 'weight' | 'effectiveWeight'
>;

/** Whatever keeps a backend from having its share: the gravest of it. */
function stateOf(backend: Standing): StateWord {
  if (backend.operator === 'disabled') return 'disabled';
  if (backend.operator === 'draining') return backend.sessions > 0 ? 'draining' : 'drained';
  if (!backend.up) return 'down';
  if (backend.ejected) return 'ejected';
  return backend.effectiveWeight < backend.weight ? 'warming' : 'up';
}
