/** Which series of metrics there are: they come with services and backends, and go when nothing is left of those. */
import type { Scoreboard } from '../balance/scoreboard.ts';
import type { BackendState } from '../observe/events.ts';
import type { Metrics } from '../observe/metrics.ts';
import type { LeavingService, Services } from './services.ts';

interface Departed {
  readonly service: string;
  readonly backend: string;
  readonly index: number;
}

export class Series {
  readonly #metrics: Metrics;
  readonly #scoreboard: Scoreboard;
  readonly #services: Services;
  /** Backends that have left their pool while sessions held them. */
  readonly #departed = new Map<string, Departed>();

  constructor(metrics: Metrics, scoreboard: Scoreboard, services: Services) {
    this.#metrics = metrics;
    this.#scoreboard = scoreboard;
    this.#services = services;
  }

  /** To be told before anything is counted for the backend. */
  onState({ service, backend, to }: BackendState): void {
    const key = `${service} ${backend}`;
    if (to === 'added') {
      this.#departed.delete(key);
      this.#metrics.addBackend(service, backend);
    }
    if (to !== 'removed') return;
    const control = this.#services.controls.find(({ config }) => config.name === service);
    const index = control?.pool.backends.find(({ name }) => name === backend)?.index;
    if (index !== undefined) this.#departed.set(key, { service, backend, index });
  }

  /** Ends the series of backends and services of which nothing is left. Returns the services. */
  forgetGone(): LeavingService[] {
    for (const [key, { service, backend, index }] of this.#departed) {
      if (this.#scoreboard.holders(index) > 0) continue;
      this.#departed.delete(key);
      this.#metrics.forget(service, backend);
    }
    const present = new Set(this.#services.controls.map(({ config }) => config.name));
    const gone = this.#services.gone().filter(({ name }) => !present.has(name));
    for (const { name, kind } of gone) this.#metrics.forgetService(name, kind);
    return gone;
  }
}
