/** Metrics of takeovers: what this process had of another one, and what did not come about. */
import { Counter, Gauge, type Registry } from 'prom-client';

export class TakeoverMetrics {
  readonly #sessions: Gauge;
  readonly #failures: Counter;

  constructor(registry: Registry) {
    const registers = [registry];
    this.#sessions = new Gauge({
      name: 'tftplb_takeover_sessions',
      help: 'TFTP sessions that this process took over from another one when it started.',
      registers,
    });
    this.#failures = new Counter({
      name: 'tftplb_takeover_failures_total',
      help: 'Attempts of another process to take over from this one that failed.',
      registers,
    });
  }

  taken(sessions: number): void {
    this.#sessions.set(sessions);
  }

  failed(): void {
    this.#failures.inc();
  }
}
