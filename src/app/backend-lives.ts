/**
 * How the backends of one service stand, from all who have a say in it:
 *
 *   health checks   up or down              ─┐
 *   live traffic    in or ejected           ─┼─▶ flags in the scoreboard, which every pick obeys
 *   operator        enabled or not          ─┘
 *   operator, discovery, slow start: weight ───▶ pool, which a new snapshot carries
 */
import type { Backend, Pool } from '../balance/pool.ts';
import type { Scoreboard } from '../balance/scoreboard.ts';
import { warmingWeights, warmUpSteps } from '../balance/warming-weights.ts';
import type { HealthConfig } from '../config/config.ts';
import { EjectionKeeper } from '../health/ejection.ts';
import { ErrorStreaks } from '../health/error-streaks.ts';
import {
  OperatorOrders,
  type OperatorMode,
  type Order,
  type Revision,
  type SavedOrders,
} from '../health/orders.ts';
import type { Probe } from '../health/probe.ts';
import { HealthScheduler } from '../health/scheduler.ts';
import { SlowStart } from '../health/slow-start.ts';
import type { Net, Timer } from '../net/net.ts';
import type { Emit, Event } from '../observe/events.ts';

/** Health checks of one service that may run at the same time. */
const maxChecksAtOnce = 16;

export interface BackendLivesParts {
  readonly net: Net;
  readonly scoreboard: Scoreboard;
  readonly emit: Emit;
  readonly probe: Probe;
  /** Weights have changed: `pool` is another one. */
  readonly onWeights: () => void;
}

/** What there is to say of a backend beside its row in the scoreboard. */
export interface BackendLife {
  readonly operator: OperatorMode;
  readonly weight: number;
  readonly configuredWeight: number;
  readonly effectiveWeight: number;
}

/** Who gave the orders that came with a takeover. */
const predecessor = 'the process before';

export class BackendLives {
  readonly #service: string;
  readonly #parts: BackendLivesParts;
  readonly #health: HealthScheduler;
  readonly #ejection: EjectionKeeper;
  readonly #errors: ErrorStreaks;
  readonly #orders: OperatorOrders;
  readonly #slowStart: SlowStart;
  /** As discovery has it; undefined before it has told. */
  #found: Pool | undefined;
  /** Runs from a change of weights to the next turn, so that many changes make one pool. */
  #change: Timer | undefined;

  constructor(service: string, config: HealthConfig, parts: BackendLivesParts) {
    const { net, scoreboard, emit, probe } = parts;
    const { interval, rise, fall, ejectTime, ejectErrors, slowStart } = config;
    this.#service = service;
    this.#parts = parts;
    this.#health = new HealthScheduler(
      {
        net,
        probe,
        scoreboard,
        emit,
        isResting: ({ name }) => this.#orders.modeOf(name) === 'disabled',
        onTurn: (backend, isUp) => this.#onTurn(backend, isUp),
      },
      { service, interval, thresholds: { rise, fall }, maxAtOnce: maxChecksAtOnce },
    );
    this.#ejection = new EjectionKeeper({ clock: net, scoreboard, emit }, { service, duration: ejectTime });
    this.#errors = new ErrorStreaks(ejectErrors);
    this.#orders = new OperatorOrders({ clock: net, scoreboard, emit }, service);
    this.#slowStart = new SlowStart(net, { duration: slowStart, onStep: () => this.#weightsChanged() });
  }

  /** Resolves when each backend of the first pool has been checked once, or checks are off. */
  get firstRound(): Promise<void> {
    return this.#health.firstRound;
  }

  /** With the weights of now. */
  get pool(): Pool {
    const { backends } = this.#found ?? { backends: [] };
    const weights = warmingWeights(
      backends.map((backend) => ({
        weight: this.#orders.weightOf(backend),
        step: this.#slowStart.stepOf(backend.index),
      })),
    );
    return {
      backends: backends.map((backend, at) => weighing(backend, weights[at])),
    };
  }

  /** Discovery has another pool. Rows of newcomers are made ready, so call it before the data planes know of them. */
  update(found: Pool): void {
    const before = this.#found;
    this.#found = found;
    this.#orders.update(found);
    this.#health.update(found);
    this.#ejection.update(found);
    this.#errors.keep(new Set(found.backends.map(({ name }) => name)));
    if (before !== undefined) this.#warmUpNewcomers(before, found);
  }

  /** From now on. What is known of the backends stays. */
  configure({ interval, rise, fall, ejectTime, ejectErrors, slowStart }: HealthConfig, probe: Probe): void {
    this.#health.configure({ probe, interval, thresholds: { rise, fall } });
    this.#ejection.configure(ejectTime);
    this.#errors.configure(ejectErrors);
    this.#slowStart.configure(slowStart);
  }

  /** The configuration says something else of backends than before; to be told before the pool that follows from it. */
  revise(revisionOf: (name: string) => Revision): void {
    this.#orders.revise(revisionOf);
  }

  /** Takes every event; those of other services are left aside. */
  observe(event: Event): void {
    if (event.kind === 'worker.up') return;
    if (event.kind === 'worker.down') this.#ejection.adopt();
    else if (event.service !== this.#service) return;
    else if (event.kind === 'backend.suspect') this.#ejection.suspected(event);
    else this.#noteErrors(event);
    this.#orders.review();
  }

  /** Undefined if there is no such backend. `by` is who gave the order. */
  obey(name: string, order: Order, by: string): { backend: Backend; changed: boolean } | undefined {
    const backend = this.#found?.backends.find((backend) => backend.name === name);
    if (!backend) return undefined;
    const changed = this.#orders.obey(backend, order, by);
    if (changed) this.#afterOrder(backend, order);
    return { backend, changed };
  }

  /** The operator's orders, for another process. */
  saveOrders(): SavedOrders[] {
    return this.#orders.save();
  }

  /** Those of another process are in force here. */
  restoreOrders(saved: readonly SavedOrders[]): void {
    for (const orders of saved) {
      const { backend, mode, weight } = orders;
      const isHere = this.obey(backend, { kind: 'mode', mode }, predecessor) !== undefined;
      if (!isHere) this.#orders.keep(orders);
      else if (weight !== undefined) this.obey(backend, { kind: 'weight', weight }, predecessor);
    }
  }

  lifeOf(backend: Backend): BackendLife {
    const found = this.#found?.backends.find(({ index }) => index === backend.index) ?? backend;
    const weight = this.#orders.weightOf(found);
    return {
      operator: this.#orders.modeOf(found.name),
      weight,
      configuredWeight: found.weight,
      effectiveWeight: (weight * this.#slowStart.stepOf(found.index)) / warmUpSteps,
    };
  }

  /** Ends all checks and timers; the scoreboard stays as it is. */
  stop(): void {
    this.#health.stop();
    this.#ejection.stop();
    this.#orders.stop();
    this.#slowStart.stop();
    this.#change?.cancel();
  }

  #warmUpNewcomers(before: Pool, { backends }: Pool): void {
    const known = new Set(before.backends.map(({ index }) => index));
    const kept = new Set(backends.map(({ index }) => index));
    for (const index of known) if (!kept.has(index)) this.#slowStart.end(index);
    for (const { index } of backends) if (!known.has(index)) this.#slowStart.begin(index);
  }

  #onTurn({ index, name }: Backend, isUp: boolean): void {
    if (isUp && this.#orders.modeOf(name) === 'enabled') this.#slowStart.begin(index);
    else this.#slowStart.end(index);
    this.#ejection.review();
  }

  #afterOrder({ index }: Backend, order: Order): void {
    if (order.kind === 'weight') {
      this.#parts.onWeights();
      return;
    }
    if (order.mode === 'enabled') this.#slowStart.begin(index);
    else this.#slowStart.end(index);
    this.#health.review();
    this.#ejection.review();
  }

  #noteErrors(event: Event): void {
    const name = this.#errors.note(event);
    if (name !== undefined) this.#ejection.accuse(name);
  }

  #weightsChanged(): void {
    this.#change ??= this.#parts.net.setTimer(0, () => {
      this.#change = undefined;
      this.#parts.onWeights();
    });
  }
}

function weighing(backend: Backend, weight: number = backend.weight): Backend {
  return { ...backend, weight };
}
