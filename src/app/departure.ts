/** The end of a balancer, as far as it waits for sessions. */
import type { Clock } from '../net/net.ts';
import type { Bus } from '../observe/bus.ts';
import type { DataPlane } from '../runtime/data-plane.ts';

export type DrainOutcome = 'drained' | 'timed-out' | 'forced';

export interface DepartureParts {
  readonly clock: Clock;
  /** Sessions end with an event. */
  readonly bus: Bus;
  readonly dataPlane: Pick<DataPlane, 'drain'>;
  readonly activeSessions: () => number;
}

export class Departure {
  readonly #parts: DepartureParts;

  constructor(parts: DepartureParts) {
    this.#parts = parts;
  }

  /** Resolves when no session is left, or when `signal` aborts. */
  async finished(signal: AbortSignal): Promise<void> {
    const { bus, activeSessions } = this.#parts;
    const { promise, resolve } = Promise.withResolvers<void>();
    const check = (): void => {
      if (activeSessions() === 0 || signal.aborted) resolve();
    };
    const unsubscribe = bus.subscribe(check);
    signal.addEventListener('abort', check, { once: true });
    check();
    await promise;
    unsubscribe();
    signal.removeEventListener('abort', check);
  }

  /** Takes no new sessions and waits for the running ones, for so many milliseconds or until `force` aborts. */
  async drain(timeout: number, force: AbortSignal): Promise<DrainOutcome> {
    const { clock, bus, dataPlane, activeSessions } = this.#parts;
    const { promise, resolve, reject } = Promise.withResolvers<DrainOutcome>();
    let mayBeNew = true;
    const check = (): void => {
      if (!mayBeNew && activeSessions() === 0) resolve('drained');
    };
    dataPlane.drain().then(() => {
      mayBeNew = false;
      check();
    }, reject);
    const onForce = (): void => resolve('forced');
    const unsubscribe = bus.subscribe(check);
    const timer = clock.setTimer(timeout, () => resolve('timed-out'));
    force.addEventListener('abort', onForce, { once: true });
    if (force.aborted) onForce();
    try {
      return await promise;
    } finally {
      unsubscribe();
      timer.cancel();
      force.removeEventListener('abort', onForce);
    }
  }
}
