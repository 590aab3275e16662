import type { HandOverOutcome, Operator, OrderResult, ReloadOutcome } from '../observe/operator.ts';
import type { Report } from './report.ts';
import type { Services } from './services.ts';

export interface DeskParts {
  readonly services: Pick<Services, 'controls'>;
  readonly report: Pick<Report, 'statusOf'>;
  readonly reload: (by: string) => Promise<ReloadOutcome>;
  readonly handOver: (path: string, by: string) => HandOverOutcome;
}

/** Where the operator's orders arrive. */
export class Desk implements Operator {
  readonly #parts: DeskParts;

  constructor(parts: DeskParts) {
    this.#parts = parts;
  }

  order(...[service, backend, order, by]: Parameters<Operator['order']>): OrderResult {
    const { services, report } = this.#parts;
    const control = services.controls.find(({ config }) => config.name === service);
    if (!control) {
      return { kind: 'unknown-service', known: services.controls.map(({ config }) => config.name) };
    }
    const obeyed = control.obey(backend, order, by);
    if (!obeyed) return { kind: 'unknown-backend', known: control.pool.backends.map(({ name }) => name) };
    return { kind: 'obeyed', changed: obeyed.changed, backend: report.statusOf(control, obeyed.backend) };
  }

  reload(by: string): Promise<ReloadOutcome> {
    return this.#parts.reload(by);
  }

  handOver(path: string, by: string): HandOverOutcome {
    return this.#parts.handOver(path, by);
  }
}
