/** Metrics of the threads that serve clients. */
import { Counter, type Registry } from 'prom-client';

import type { WorkerEvent } from './events.ts';

export interface WorkerUse {
  readonly index: number;
  /** Times that it was started anew. */
  readonly restarts: number;
}

export class WorkerMetrics {
  readonly #lost: Counter<'service'>;

  /** `workers` is asked at each scrape. */
  constructor(registry: Registry, workers: () => readonly WorkerUse[]) {
    this.#lost = new Counter({
      name: 'tftplb_sessions_lost_total',
      help: 'Sessions that ended because their worker died.',
      labelNames: ['service'],
      registers: [registry],
    });
    registerRestarts(registry, workers);
  }

  addService(service: string): void {
    this.#lost.inc({ service }, 0);
  }

  forgetService(service: string): void {
    this.#lost.remove({ service });
  }

  count(event: WorkerEvent): void {
    if (event.kind === 'worker.up') return;
    for (const [service, sessions] of Object.entries(event.lost)) this.#lost.inc({ service }, sessions);
  }
}

function registerRestarts(registry: Registry, workers: () => readonly WorkerUse[]): void {
  const restarts: Counter<'worker'> = new Counter({
    name: 'tftplb_worker_restarts_total',
    help: 'Times that a worker was started again after its death.',
    labelNames: ['worker'],
    registers: [registry],
    collect() {
      restarts.reset();
      for (const worker of workers()) restarts.inc({ worker: worker.index }, worker.restarts);
    },
  });
}
