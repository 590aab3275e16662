/** Memory that workers share and that outlives changes of the configuration: made when somebody first needs it. */
import { createAffinityTable } from '../engine/affinity-table.ts';
import { createRateTable } from '../engine/rate-table.ts';

export class SharedTables {
  readonly #random: () => number;
  readonly #rates = new Map<string, SharedArrayBuffer>();
  #affinity: SharedArrayBuffer | undefined;

  /** `random` is uniform in [0, 1), and nobody can foresee it. */
  constructor(random: () => number) {
    this.#random = random;
  }

  /** One for all services. */
  get affinity(): SharedArrayBuffer {
    this.#affinity ??= createAffinityTable(this.#random());
    return this.#affinity;
  }

  /** One for each kind of rate of a service. */
  rate(service: string, kind: 'client' | 'prefix'): SharedArrayBuffer {
    const key = `${kind} ${service}`;
    const table = this.#rates.get(key) ?? createRateTable(this.#random());
    this.#rates.set(key, table);
    return table;
  }

  /** The service is gone; another one of its name begins anew. */
  forget(service: string): void {
    this.#rates.delete(`client ${service}`);
    this.#rates.delete(`prefix ${service}`);
  }
}
