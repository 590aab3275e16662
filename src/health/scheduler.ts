/**
 * Checks every backend of one service again and again, the first time at once, and writes what comes of it into the
 * scoreboard. Each backend has its own beat, with some jitter, so that balancers that were started together do not
 * knock together. While checks contradict what a backend counts as, they come faster, so that it is soon clear.
 *
 *   due -> waiting (while `maxAtOnce` checks are running) -> running -> due again after the interval
 *
 * Backends that rest are not checked, and stay what they are.
 */
import { type Backend, isSameBackend, type Pool } from '../balance/pool.ts';
import type { Scoreboard } from '../balance/scoreboard.ts';
import type { Net, Timer } from '../net/net.ts';
import type { Emit, ProbeOutcome } from '../observe/events.ts';
import type { Probe } from './probe.ts';
import { afterCheck, newStanding, type Standing, type Thresholds } from './standing.ts';

export interface HealthParts {
  readonly net: Pick<Net, 'now' | 'setTimer' | 'random'>;
  readonly probe: Probe;
  readonly scoreboard: Scoreboard;
  readonly emit: Emit;
  /** Whether the operator wants the backend left alone; every one is checked if left out. */
  readonly isResting?: (backend: Backend) => boolean;
  /** Hears that a backend has gone up or down, before anybody is told. */
  readonly onTurn?: (backend: Backend, isUp: boolean) => void;
}

export interface HealthSettings {
  /** Name of the service. */
  readonly service: string;
  /** Milliseconds from the end of one check of a backend to the next; 0 turns checks off. */
  readonly interval: number;
  readonly thresholds: Thresholds;
  /** Checks that may run at the same time. */
  readonly maxAtOnce: number;
}

/** Share of the interval by which a beat may come early or late. */
const jitter = 0.1;
/** Share of the interval that is waited while a backend is on the way from up to down or back. */
const hurry = 0.2;

interface Patient {
  readonly backend: Backend;
  standing: Standing;
  /** Ends its checks; undefined while it rests. */
  checks: AbortController | undefined;
  /** Runs from one check to the next. */
  timer: Timer | undefined;
}

/** What may change while checks go on. */
export interface HealthChange extends Pick<HealthSettings, 'interval' | 'thresholds'> {
  readonly probe: Probe;
}

export class HealthScheduler {
  /** Resolves when every backend of the first pool has been checked once or has left, or when checks are off. */
  readonly firstRound: Promise<void>;
  #parts: HealthParts;
  #settings: HealthSettings;
  /** By scoreboard index. */
  readonly #patients = new Map<number, Patient>();
  readonly #waiting: Patient[] = [];
  #running = 0;
  #endFirstRound: () => void;
  /** Who has not been checked yet in the first round; undefined before it begins. */
  #unchecked: Set<Patient> | undefined;

  constructor(parts: HealthParts, settings: HealthSettings) {
    this.#parts = parts;
    this.#settings = settings;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.firstRound = promise;
    this.#endFirstRound = resolve;
  }

  /**
   * From now on these backends are checked, and no others. Whoever is new here counts as up, so call it before the
   * data planes know of them.
   */
  update(pool: Pool): void {
    const kept = new Map(pool.backends.map((backend) => [backend.index, backend]));
    for (const [index, patient] of this.#patients) {
      if (!isSameBackend(patient.backend, kept.get(index))) this.#dismiss(patient);
    }
    for (const backend of pool.backends) {
      if (!this.#patients.has(backend.index)) this.#admit(backend);
    }
    this.#unchecked ??= new Set([...this.#patients.values()].filter(({ checks }) => checks !== undefined));
    this.#noteFirstRound();
    this.#startWaiting();
  }

  /** Other backends rest now. Whoever no longer does is checked at once. */
  review(): void {
    for (const patient of this.#patients.values()) {
      const isResting = this.#parts.isResting?.(patient.backend) ?? false;
      if (isResting && patient.checks) this.#rest(patient);
      else if (!isResting && !patient.checks) this.#wake(patient);
    }
    this.#noteFirstRound();
    this.#startWaiting();
  }

  /** From the next check of each backend on. What is known of them stays, but for checks that are turned off. */
  configure({ probe, interval, thresholds }: HealthChange): void {
    const { interval: before } = this.#settings;
    this.#parts = { ...this.#parts, probe };
    this.#settings = { ...this.#settings, interval, thresholds };
    if (interval === before) return;
    for (const patient of this.#patients.values()) {
      if (interval === 0) this.#discharge(patient);
      else if (patient.timer) this.#checkLater(patient);
    }
    if (interval === 0) this.#endFirstRound();
    this.review();
  }

  /** Ends all checks; the scoreboard stays as it is. */
  stop(): void {
    for (const patient of this.#patients.values()) this.#dismiss(patient);
    this.#endFirstRound();
  }

  #admit(backend: Backend): void {
    const patient: Patient = { backend, standing: newStanding, checks: undefined, timer: undefined };
    this.#patients.set(backend.index, patient);
    this.#parts.scoreboard.setUp(backend.index, true);
    if (this.#parts.isResting?.(backend) !== true) this.#wake(patient);
  }

  #dismiss(patient: Patient): void {
    this.#rest(patient);
    this.#patients.delete(patient.backend.index);
  }

  #wake(patient: Patient): void {
    if (this.#settings.interval === 0) return;
    patient.checks = new AbortController();
    this.#waiting.push(patient);
  }

  #rest(patient: Patient): void {
    patient.checks?.abort();
    patient.checks = undefined;
    patient.timer?.cancel();
    patient.timer = undefined;
    patient.standing = { ...patient.standing, contrary: 0 };
    const place = this.#waiting.indexOf(patient);
    if (place >= 0) this.#waiting.splice(place, 1);
    this.#unchecked?.delete(patient);
  }

  /** Nobody checks it any longer: it counts as up. */
  #discharge(patient: Patient): void {
    this.#rest(patient);
    const { isUp } = patient.standing;
    patient.standing = newStanding;
    if (!isUp) this.#announce(patient, 'alive');
  }

  #startWaiting(): void {
    while (this.#running < this.#settings.maxAtOnce) {
      const patient = this.#waiting.shift();
      if (!patient?.checks) return;
      this.#running += 1;
      void this.#check(patient, patient.checks.signal);
    }
  }

  async #check(patient: Patient, signal: AbortSignal): Promise<void> {
    const { net, probe } = this.#parts;
    const startedAt = net.now();
    // A probe that breaks its contract must not end the checks of its backend.
    const outcome = await probe.check(patient.backend, signal).catch((): ProbeOutcome => 'failed');
    this.#running -= 1;
    if (!signal.aborted) this.#record(patient, outcome, net.now() - startedAt);
    this.#startWaiting();
  }

  #record(patient: Patient, outcome: ProbeOutcome, duration: number): void {
    const { service, thresholds } = this.#settings;
    const { name } = patient.backend;
    this.#parts.emit({ kind: 'health.check', service, backend: name, outcome, duration });
    const before = patient.standing;
    patient.standing = afterCheck(before, outcome, thresholds);
    if (patient.standing.isUp !== before.isUp) this.#announce(patient, outcome);
    this.#checkLater(patient);
    this.#unchecked?.delete(patient);
    this.#noteFirstRound();
  }

  #announce({ backend, standing }: Patient, reason: ProbeOutcome): void {
    this.#parts.scoreboard.setUp(backend.index, standing.isUp);
    this.#parts.onTurn?.(backend, standing.isUp);
    this.#parts.emit({
      kind: 'backend.state',
      service: this.#settings.service,
      backend: backend.name,
      address: backend.address,
      from: standing.isUp ? 'down' : 'up',
      to: standing.isUp ? 'up' : 'down',
      reason,
    });
  }

  #checkLater(patient: Patient): void {
    const { net } = this.#parts;
    const isTurning = patient.standing.contrary > 0;
    const interval = this.#settings.interval * (isTurning ? hurry : 1);
    const delay = interval * (1 - jitter + 2 * jitter * net.random());
    patient.timer?.cancel();
    patient.timer = net.setTimer(delay, () => {
      patient.timer = undefined;
      this.#waiting.push(patient);
      this.#startWaiting();
    });
  }

  #noteFirstRound(): void {
    if (this.#unchecked?.size === 0) this.#endFirstRound();
  }
}
