/** Everything that /metrics shows, in a registry of its own. The names and labels stand in docs/metrics.md. */
import { collectDefaultMetrics, Gauge, Registry } from 'prom-client';

import { ConfigMetrics } from './config-metrics.ts';
import { EventMetrics } from './event-metrics.ts';
import type { Event, FtpEvent, WorkerEvent } from './events.ts';
import { FtpMetrics, type PassivePortUse } from './ftp-metrics.ts';
import { type HotCounters, registerHotMetrics } from './hot-metrics.ts';
import { TakeoverMetrics } from './takeover-metrics.ts';
import { WorkerMetrics, type WorkerUse } from './worker-metrics.ts';

/** What runs here, as labels. */
export interface Build {
  readonly version: string;
  readonly node: string;
  readonly engine: string;
}

/** What is asked at each scrape. */
export interface MetricSources {
  readonly counters: HotCounters;
  readonly passivePorts: () => readonly PassivePortUse[];
  readonly workers: () => readonly WorkerUse[];
}

export class Metrics {
  readonly config: ConfigMetrics;
  readonly takeovers: TakeoverMetrics;
  readonly #registry = new Registry();
  readonly #events: EventMetrics;
  readonly #ftp: FtpMetrics;
  readonly #workers: WorkerMetrics;

  constructor(build: Build, { counters, passivePorts, workers }: MetricSources) {
    const registers = [this.#registry];
    const labelNames = ['version', 'node', 'engine'];
    new Gauge({
      name: 'tftplb_build_info',
      help: 'Always 1; the labels tell what runs.',
      labelNames,
      registers,
    }).set({ ...build }, 1);
    this.config = new ConfigMetrics(this.#registry);
    this.takeovers = new TakeoverMetrics(this.#registry);
    this.#events = new EventMetrics(this.#registry);
    this.#workers = new WorkerMetrics(this.#registry, workers);
    this.#ftp = new FtpMetrics(this.#registry, passivePorts);
    registerHotMetrics(this.#registry, counters);
    collectDefaultMetrics({ register: this.#registry });
  }

  /** Its event-driven series exist from now on, at 0. */
  addService(service: string, kind: 'tftp' | 'ftp'): void {
    this.#events.addService(service);
    this.#workers.addService(service);
    if (kind === 'ftp') this.#ftp.addService(service);
  }

  /** Ends its series. Call it when nothing is left of it, and no service of that name has come. */
  forgetService(service: string, kind: 'tftp' | 'ftp'): void {
    this.#events.forgetService(service);
    this.#workers.forgetService(service);
    if (kind === 'ftp') this.#ftp.forgetService(service);
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
  readonly count = (event: Event): void => {
    if (isFtpEvent(event)) this.#ftp.count(event);
    else if (isWorkerEvent(event)) this.#workers.count(event);
    else this.#events.count(event);
  };

  /** The text of a scrape, and its content type. */
  async render(): Promise<{ readonly type: string; readonly text: string }> {
    return { type: this.#registry.contentType, text: await this.#registry.metrics() };
  }
}

function isWorkerEvent(event: Event): event is WorkerEvent {
  return event.kind.startsWith('worker.');
}

function isFtpEvent(event: Event): event is FtpEvent {
  return event.kind.startsWith('ftp.');
}
