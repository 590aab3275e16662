/** Metrics of the configuration: whether what operators have written is what counts. */
import { Gauge, type Registry } from 'prom-client';

export class ConfigMetrics {
  readonly #isGood: Gauge;
  readonly #goodSince: Gauge;

  constructor(registry: Registry) {
    const registers = [registry];
    this.#isGood = new Gauge({
      name: 'tftplb_config_last_reload_successful',
      help: '1 if the configuration that was read last is in force, 0 if it was refused.',
      registers,
    });
    this.#goodSince = new Gauge({
      name: 'tftplb_config_last_reload_success_timestamp_seconds',
      help: 'When the configuration that is in force was read.',
      registers,
    });
  }

  /** `now` is the time of day. */
  taken(now: Date): void {
    this.#isGood.set(1);
    this.#goodSince.set(now.getTime() / 1000);
  }

  refused(): void {
    this.#isGood.set(0);
  }
}
