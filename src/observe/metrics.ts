/** Everything that /metrics shows, in a registry of its own. The names and labels stand in docs/metrics.md. */
import { collectDefaultMetrics, Gauge, Registry } from 'prom-client';

import { EventMetrics } from './event-metrics.ts';
import type { Event } from './events.ts';
import { type HotCounters, registerHotMetrics } from './hot-metrics.ts';

/** What runs here, as labels. */
export interface Build {
  readonly version: string;
  readonly node: string;
  readonly engine: string;
}

export class Metrics {
  readonly #registry = new Registry();
  readonly #events: EventMetrics;

  constructor(build: Build, counters: HotCounters) {
    const registers = [this.#registry];
    const labelNames = ['version', 'node', 'engine'];
    new Gauge({
      name: 'tftplb_build_info',
      help: 'Always 1; the labels tell what runs.',
      labelNames,
      registers,
    }).set({ ...build }, 1);
    this.#events = new EventMetrics(this.#registry);
    registerHotMetrics(this.#registry, counters);
    collectDefaultMetrics({ register: this.#registry });
  }

  /** Its event-driven series exist from now on, at 0. */
  addService(service: string): void {
    this.#events.addService(service);
  }

  /** The service has been added before; series exist from now on, at 0. */
  addBackend(service: string, backend: string): void {
    this.#events.addBackend(service, backend);
  }

  /** Ends the series of a backend that is gone. Call it when no session holds it any more. */
  forget(service: string, backend: string): void {
    this.#events.forget(service, backend);
  }

  /** Bound, so that it can subscribe to a bus by itself. */
  readonly count = (event: Event): void => this.#events.count(event);

  /** The text of a scrape, and its content type. */
  async render(): Promise<{ readonly type: string; readonly text: string }> {
    return { type: this.#registry.contentType, text: await this.#registry.metrics() };
  }
}
