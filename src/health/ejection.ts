/**
 * Readmits the backends that live traffic has ejected. Data planes set the flag and tell of it; the keeper clears it
 * when the backend has not been suspected again for a while, which is longer with each repeat (ejection-time.ts).
 *
 *   in -- suspected --> ejected -- its time without suspicion, or too few are left --> in
 *
 * A suspicion may arrive just after the flag of an earlier one was cleared. The keeper therefore sets the flag too, so
 * that the flag is set exactly while its time runs. And two data planes may eject in the same instant, each of them up to
 * half of the pool: the keeper lets one of the two flags stand.
 */
import { mayEject, surplusOf } from '../balance/ejection-limit.ts';
import { type Backend, isSameBackend, type Pool } from '../balance/pool.ts';
import type { Scoreboard } from '../balance/scoreboard.ts';
import type { Clock, Timer } from '../net/net.ts';
import type { BackendSuspect, Emit } from '../observe/events.ts';
import { type EjectionRecord, ejectionTime, timesOf } from './ejection-time.ts';

export interface EjectionParts {
  readonly clock: Clock;
  readonly scoreboard: Scoreboard;
  readonly emit: Emit;
}

export interface EjectionSettings {
  /** Name of the service. */
  readonly service: string;
  /** Milliseconds that a backend stays ejected after the last suspicion, the first time. */
  readonly duration: number;
}

/** Why a backend is in again. */
type Readmission = 'expired' | 'too-few-left';

interface Ejection {
  readonly backend: Backend;
  readonly times: number;
  timer: Timer;
}

export class EjectionKeeper {
  readonly #parts: EjectionParts;
  #settings: EjectionSettings;
  #pool: Pool = { backends: [] };
  /** By scoreboard index, the one that began first in front. */
  readonly #ejected = new Map<number, Ejection>();
  /** Of those that were ejected before, by scoreboard index. */
  readonly #records = new Map<number, EjectionRecord>();

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
    const before = byIndex(this.#pool);
    const after = byIndex(pool);
    this.#pool = pool;
    for (const [index, backend] of before) {
      if (!isSameBackend(backend, after.get(index))) this.#forget(index);
    }
    for (const [index, backend] of after) {
      if (!isSameBackend(backend, before.get(index))) this.#parts.scoreboard.setEjected(index, false);
    }
    this.review();
  }

  /** Takes the suspicions of its own service; one of a backend that has left meanwhile is of no use any more. */
  suspected(event: BackendSuspect): void {
    const backend = this.#pool.backends.find(({ index }) => index === event.index);
    if (event.service !== this.#settings.service || backend?.name !== event.backend) return;
    this.#suspect(backend, event.reason);
  }

  /** The backend of that name fails what it is asked for. */
  accuse(name: string): void {
    const backend = this.#pool.backends.find((backend) => backend.name === name);
    if (backend) this.#suspect(backend, 'errors');
  }

  /** Takes over the flags whose time does not run: whoever set them died before it could tell. */
  adopt(): void {
    for (const backend of this.#pool.backends) {
      const { index } = backend;
      const isUntold = this.#parts.scoreboard.isEjected(index) && !this.#ejected.has(index);
      if (isUntold) this.#suspect(backend, 'untold');
    }
  }

  /** Others are down or out of service now: of what is left, no more than half may be ejected. */
  review(): void {
    for (const index of surplusOf(this.#pool, this.#parts.scoreboard, [...this.#ejected.keys()])) {
      const ejection = this.#ejected.get(index);
      if (ejection) this.#readmit(ejection, 'too-few-left');
    }
  }

  /** Ends all timers; the scoreboard stays as it is. */
  stop(): void {
    for (const { timer } of this.#ejected.values()) timer.cancel();
    this.#ejected.clear();
  }

  #suspect(backend: Backend, reason: string): void {
    const { index } = backend;
    const { clock, scoreboard } = this.#parts;
    const running = this.#ejected.get(index);
    if (running) {
      scoreboard.setEjected(index, true);
      running.timer.cancel();
      running.timer = this.#timerFor(backend, running.times);
      return;
    }
    const isLegal = mayEject(this.#pool, scoreboard, index);
    scoreboard.setEjected(index, isLegal);
    if (!isLegal) return;
    const times = timesOf(this.#records.get(index), clock.now(), this.#settings.duration);
    this.#ejected.set(index, { backend, times, timer: this.#timerFor(backend, times) });
    this.#announce(backend, this.#standingOf(backend), 'ejected', reason);
  }

  #timerFor(backend: Backend, times: number): Timer {
    const time = ejectionTime(times, this.#settings.duration);
    return this.#parts.clock.setTimer(time, () => this.#onTime(backend.index));
  }

  #onTime(index: number): void {
    const ejection = this.#ejected.get(index);
    if (ejection) this.#readmit(ejection, 'expired');
  }

  #readmit({ backend, times, timer }: Ejection, reason: Readmission): void {
    const { index } = backend;
    timer.cancel();
    this.#ejected.delete(index);
    this.#records.set(index, { times, endedAt: this.#parts.clock.now() });
    this.#parts.scoreboard.setEjected(index, false);
    this.#announce(backend, 'ejected', 'readmitted', reason);
  }

  #forget(index: number): void {
    this.#ejected.get(index)?.timer.cancel();
    this.#ejected.delete(index);
    this.#records.delete(index);
  }

  #standingOf(backend: Backend): string {
    return this.#parts.scoreboard.isUp(backend.index) ? 'up' : 'down';
  }

  #announce({ name, address }: Backend, from: string, to: 'ejected' | 'readmitted', reason: string): void {
    const { service } = this.#settings;
    this.#parts.emit({ kind: 'backend.state', service, backend: name, address, from, to, reason });
  }
}

function byIndex({ backends }: Pool): ReadonlyMap<number, Backend> {
  return new Map(backends.map((backend) => [backend.index, backend]));
}
