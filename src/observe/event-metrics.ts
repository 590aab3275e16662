/** Metrics that are counted event by event. Labels are names from the configuration and the closed unions of events.ts. */
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

import {
  type BackendState,
  type Event,
  type Failover,
  failoverReasons,
  type FtpEvent,
  type HealthCheck,
  type Operation,
  probeOutcomes,
  rejectReasons,
  type SessionEnd,
  transferResults,
  type WorkerEvent,
} from './events.ts';

const operations: readonly Operation[] = ['read', 'write'];

/** Seconds: from a boot loader over a local network to an image over a slow one. */
const durationBuckets = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600];

/**
 * Series exist, at 0, from the moment in which their service or backend is added, and those of a backend end when it
 * is forgotten: what is told of a backend that nobody has added is not counted, so none comes back by itself.
 */
export class EventMetrics {
  readonly #families: ReturnType<typeof familiesIn>;
  /** By service: what listens. */
  readonly #listeners = new Map<string, Set<string>>();
  /** By service: the backends that have series. */
  readonly #backends = new Map<string, Set<string>>();

  constructor(registry: Registry) {
    this.#families = familiesIn(registry);
  }

  addService(service: string): void {
    const { started, duration, resumed, repeats, rejected, doubted, lookups, listeners } = this.#families;
    this.#listeners.set(service, new Set());
    this.#backends.set(service, new Set());
    for (const op of operations) {
      started.inc({ service, op }, 0);
      duration.zero({ service, op });
    }
    for (const reason of rejectReasons) rejected.inc({ service, reason }, 0);
    for (const counter of [resumed, repeats, doubted, lookups]) counter.inc({ service }, 0);
    listeners.set({ service }, 0);
  }

  /** The service is gone with all that it had. */
  forgetService(service: string): void {
    const { started, duration, resumed, repeats, rejected, doubted, lookups, listeners } = this.#families;
    for (const backend of this.#backends.get(service) ?? []) this.forget(service, backend);
    this.#listeners.delete(service);
    this.#backends.delete(service);
    for (const op of operations) {
      started.remove({ service, op });
      duration.remove({ service, op });
    }
    for (const reason of rejectReasons) rejected.remove({ service, reason });
    for (const family of [resumed, repeats, doubted, lookups, listeners]) family.remove({ service });
  }

  /** Its service has been added before. */
  addBackend(service: string, backend: string): void {
    const { ended, failovers, checks, ejections } = this.#families;
    this.#backends.get(service)?.add(backend);
    for (const result of transferResults) ended.inc({ service, backend, result }, 0);
    for (const reason of failoverReasons) failovers.inc({ service, backend, reason }, 0);
    for (const outcome of probeOutcomes) checks.inc({ service, backend, outcome }, 0);
    ejections.inc({ service, backend }, 0);
  }

  /** The backend is gone and no session holds it any more. */
  forget(service: string, backend: string): void {
    const { ended, failovers, checks, ejections } = this.#families;
    this.#backends.get(service)?.delete(backend);
    for (const result of transferResults) ended.remove({ service, backend, result });
    for (const reason of failoverReasons) failovers.remove({ service, backend, reason });
    for (const outcome of probeOutcomes) checks.remove({ service, backend, outcome });
    ejections.remove({ service, backend });
  }

  count(event: Exclude<Event, FtpEvent | WorkerEvent>): void {
    const { service } = event;
    switch (event.kind) {
      case 'session.start':
        return this.#families.started.inc({ service, op: event.op });
      case 'session.end':
        return this.#countEnd(event);
      case 'session.reject':
        return this.#families.rejected.inc({ service, reason: event.reason });
      case 'session.resume':
        return this.#families.resumed.inc({ service });
      case 'health.doubted':
        return this.#families.doubted.inc({ service });
      case 'discovery.failed':
        return this.#families.lookups.inc({ service });
      case 'listener.up':
      case 'listener.down':
        return this.#countListener(service, event.listener, event.kind === 'listener.up');
      case 'session.failover':
      case 'health.check':
      case 'backend.state':
        return this.#countOfBackend(event);
      case 'backend.suspect':
        // Most suspicions only prolong an ejection, which is what counts.
        return;
      case 'health.output':
      case 'backend.weight':
        return;
    }
  }

  #countEnd({ service, backend, op, result, repeats, duration }: SessionEnd): void {
    this.#families.repeats.inc({ service }, repeats);
    this.#families.duration.observe({ service, op }, duration / 1000);
    if (this.#knows(service, backend)) this.#families.ended.inc({ service, backend, result });
  }

  #countOfBackend(event: Failover | HealthCheck | BackendState): void {
    const { service } = event;
    const backend = event.kind === 'session.failover' ? event.from : event.backend;
    if (!this.#knows(service, backend)) return;
    const { failovers, checks, ejections } = this.#families;
    if (event.kind === 'session.failover') failovers.inc({ service, backend, reason: event.reason });
    else if (event.kind === 'health.check') checks.inc({ service, backend, outcome: event.outcome });
    else if (event.to === 'ejected') ejections.inc({ service, backend });
  }

  #knows(service: string, backend: string): boolean {
    return this.#backends.get(service)?.has(backend) === true;
  }

  /** Listeners are counted by name, because one that never came up goes down as well. */
  #countListener(service: string, listener: string, isUp: boolean): void {
    const known = this.#listeners.get(service);
    if (isUp) known?.add(listener);
    else known?.delete(listener);
    this.#families.listeners.set({ service }, known?.size ?? 0);
  }
}

function familiesIn(registry: Registry) {
  const registers = [registry];
  const counter = <Label extends string>(name: string, help: string, labelNames: Label[]): Counter<Label> =>
    new Counter({ name: `tftplb_${name}_total`, help, labelNames, registers });
  return {
    started: counter('sessions_started', 'Sessions that have begun.', ['service', 'op']),
    ended: counter('sessions_ended', 'Sessions by how they ended.', ['service', 'backend', 'result']),
    resumed: counter('sessions_resumed', 'Sessions that went on after their end had been counted.', [
      'service',
    ]),
    rejected: counter('requests_rejected', 'Requests that never became a session.', ['service', 'reason']),
    failovers: counter('failovers', 'Requests that a backend lost to another one.', [
      'service',
      'backend',
      'reason',
    ]),
    repeats: counter('repeated_datagrams', 'Datagrams of ended sessions that came a second time.', [
      'service',
    ]),
    checks: counter('health_checks', 'Health checks by how they ended.', ['service', 'backend', 'outcome']),
    ejections: counter('ejections', 'Times that live traffic took a backend out.', ['service', 'backend']),
    doubted: counter(
      'health_doubted',
      'Times that a backend was tried although health checks find all down.',
      ['service'],
    ),
    lookups: counter('discovery_failures', 'Look-ups of backends that failed.', ['service']),
    duration: new Histogram({
      name: 'tftplb_session_duration_seconds',
      help: 'Time from the request to the end.',
      labelNames: ['service', 'op'],
      buckets: durationBuckets,
      registers,
    }),
    listeners: new Gauge({
      name: 'tftplb_listeners',
      help: 'Addresses that are listened on.',
      labelNames: ['service'],
      registers,
    }),
  };
}
