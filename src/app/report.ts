/** What metrics and status read from the scoreboard when somebody asks. */
import type { Backend } from '../balance/pool.ts';
import type { Scoreboard } from '../balance/scoreboard.ts';
import { formatEndpoint, type Endpoint } from '../net/net.ts';
import { dropReasons } from '../observe/events.ts';
import { PassivePool } from '../engine/passive-pool.ts';
import type { PassivePortUse } from '../observe/ftp-metrics.ts';
import type { BackendCounters, HotCounters, ServiceCounters } from '../observe/hot-metrics.ts';
import type { BackendStatus, ServiceReadiness, ServiceStatus } from '../observe/status.ts';
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
    return this.#services.controls.flatMap(({ config, pool }) =>
      pool.backends.map((backend) => this.#countersOf(config.name, backend)),
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
      backends: pool.backends.map((backend) => this.#statusOf(backend)),
    };
  }

  #statusOf(backend: Backend): BackendStatus {
    const { index, name, address, port, weight } = backend;
    const board = this.#scoreboard;
    return {
      name,
      address,
      port,
      weight,
      up: board.isUp(index),
      enabled: board.isEnabled(index),
      ejected: board.isEjected(index),
      sessions: board.active(index),
      bytesToClient: board.counter('bytesToClient', index),
      bytesToBackend: board.counter('bytesToBackend', index),
      datagramsToClient: board.counter('datagramsToClient', index),
      datagramsToBackend: board.counter('datagramsToBackend', index),
    };
  }

  #countersOf(service: string, backend: Backend): BackendCounters {
    const { name, weight, up, enabled, ejected, sessions, ...traffic } = this.#statusOf(backend);
    return {
      service,
      backend: name,
      isUp: up,
      isEnabled: enabled,
      isEjected: ejected,
      weight,
      active: sessions,
      traffic: {
        'to-client': { datagrams: traffic.datagramsToClient, bytes: traffic.bytesToClient },
        'to-backend': { datagrams: traffic.datagramsToBackend, bytes: traffic.bytesToBackend },
      },
    };
  }
}
