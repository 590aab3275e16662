/**
 * Readmits the backends that live traffic has ejected. Data planes set the flag and tell of it; the keeper clears it
 * when the backend has not been suspected again for a while.
 *
 *   in -- suspected --> ejected -- `duration` without suspicion --> in
 *
 * A suspicion may arrive just after the flag of an earlier one was cleared. The keeper therefore sets the flag too, so
 * that the flag is set exactly while its time runs.
 */
import { type Backend, isSameBackend, type Pool } from '../balance/pool.ts';
import type { Scoreboard } from '../balance/scoreboard.ts';
import type { Clock, Timer } from '../net/net.ts';
import type { BackendSuspect, Emit } from '../observe/events.ts';

export interface EjectionParts {
  readonly clock: Clock;
  readonly scoreboard: Scoreboard;
  readonly emit: Emit;
}

export interface EjectionSettings {
  /** Name of the service. */
  readonly service: string;
  /** Milliseconds that a backend stays ejected after the last suspicion. */
  readonly duration: number;
}

export class EjectionKeeper {
  readonly #parts: EjectionParts;
  #settings: EjectionSettings;
  /** By scoreboard index. */
  #backends = new Map<number, Backend>();
  /** Of the backends that are ejected. */
  readonly #timers = new Map<number, Timer>();

  constructor(parts: EjectionParts, settings: EjectionSettings) {
    this.#parts = parts;
    this.#settings = settings;
  }

  /** From the next suspicion on. */
  configure(duration: number): void {
    this.#settings = { ...this.#settings, duration };
  }

  /**
   * The pool has changed. Whoever is new in it is not ejected, so call it before the data planes know of them; whoever
   * has left is forgotten.
   */
  update(pool: Pool): void {
    const before = this.#backends;
    this.#backends = new Map(pool.backends.map((backend) => [backend.index, backend]));
    for (const [index, backend] of before) {
      if (!isSameBackend(backend, this.#backends.get(index))) this.#forget(index);
    }
    for (const [index, backend] of this.#backends) {
      if (!isSameBackend(backend, before.get(index))) this.#parts.scoreboard.setEjected(index, false);
    }
  }

  /** Takes the suspicions of its own service; one of a backend that has left meanwhile is of no use any more. */
  suspected(event: BackendSuspect): void {
    const backend = this.#backends.get(event.index);
    if (event.service !== this.#settings.service || backend?.name !== event.backend) return;
    this.#eject(backend, event.reason);
  }

  /** Takes over the flags whose time does not run: whoever set them died before it could tell. */
  adopt(): void {
    for (const [index, backend] of this.#backends) {
      const isUntold = this.#parts.scoreboard.isEjected(index) && !this.#timers.has(index);
      if (isUntold) this.#eject(backend, 'untold');
    }
  }

  /** Ends all timers; the scoreboard stays as it is. */
  stop(): void {
    for (const timer of this.#timers.values()) timer.cancel();
    this.#timers.clear();
  }

  #eject(backend: Backend, reason: string): void {
    const { index } = backend;
    this.#parts.scoreboard.setEjected(index, true);
    const running = this.#timers.get(index);
    running?.cancel();
    const { clock } = this.#parts;
    this.#timers.set(
      index,
      clock.setTimer(this.#settings.duration, () => this.#readmit(backend)),
    );
    if (!running) this.#announce(backend, this.#standingOf(backend), 'ejected', reason);
  }

  #readmit(backend: Backend): void {
    this.#timers.delete(backend.index);
    this.#parts.scoreboard.setEjected(backend.index, false);
    this.#announce(backend, 'ejected', 'readmitted', 'expired');
  }

  #forget(index: number): void {
    this.#timers.get(index)?.cancel();
    this.#timers.delete(index);
  }

  #standingOf(backend: Backend): string {
    return this.#parts.scoreboard.isUp(backend.index) ? 'up' : 'down';
  }

  #announce(backend: Backend, from: string, to: 'ejected' | 'readmitted', reason: string): void {
    this.#parts.emit({
      kind: 'backend.state',
      service: this.#settings.service,
      backend: backend.name,
      address: backend.address,
      from,
      to,
      reason,
    });
  }
}
