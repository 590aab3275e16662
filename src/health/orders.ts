/**
 * What the operator says of the backends of one service. An order is kept by the backend's name for as long as the
 * configuration has it: discovery may take the backend away and bring it back, with another weight or at another
 * address. A weight that the configuration changes is the later word, and ends the order.
 *
 *             drain                    disable
 *   enabled --------> draining       --------> disabled       from anywhere to anywhere
 *           <--------                <--------
 *             enable                   enable
 *
 * A backend that is not enabled gets no new sessions; those that it has go on. A draining one is drained when the last
 * of them has ended.
 */
import type { Backend, FoundBackend, Pool } from '../balance/pool.ts';
import type { Scoreboard } from '../balance/scoreboard.ts';
import type { Clock, Timer } from '../net/net.ts';
import type { Emit } from '../observe/events.ts';

export type OperatorMode = 'enabled' | 'draining' | 'disabled';

export type Order =
  | { readonly kind: 'mode'; readonly mode: OperatorMode }
  /** Undefined: as discovery has it. */
  | { readonly kind: 'weight'; readonly weight: number | undefined };

/** What is in force for a backend, for another process. */
export interface SavedOrders {
  readonly backend: string;
  readonly mode: OperatorMode;
  readonly weight?: number | undefined;
}

/** What a new configuration says of a backend. */
export type Revision =
  | { readonly kind: 'same' }
  | { readonly kind: 'weight'; readonly weight: number }
  | { readonly kind: 'gone' };

export interface OrderParts {
  readonly clock: Clock;
  readonly scoreboard: Scoreboard;
  readonly emit: Emit;
}

/** Milliseconds after which every data plane has seen that a backend drains, sessions that it was about to begin included. */
const settleTime = 100;

export class OperatorOrders {
  readonly #parts: OrderParts;
  readonly #service: string;
  #backends: ReadonlyMap<string, Backend> = new Map();
  /** By name; who is missing is enabled. */
  readonly #modes = new Map<string, OperatorMode>();
  /** By name. */
  readonly #weights = new Map<string, number>();
  /** Names of those that were told to be drained. */
  readonly #drained = new Set<string>();
  /** Runs while it may be too early to call a backend drained. */
  #settling: Timer | undefined;

  constructor(parts: OrderParts, service: string) {
    this.#parts = parts;
    this.#service = service;
  }

  modeOf(name: string): OperatorMode {
    return this.#modes.get(name) ?? 'enabled';
  }

  weightOf({ name, weight }: FoundBackend): number {
    return this.#weights.get(name) ?? weight;
  }

  /** The pool has changed. Rows of newcomers may say anything, so call it before the data planes know of them. */
  update(pool: Pool): void {
    this.#backends = new Map(pool.backends.map((backend) => [backend.name, backend]));
    for (const { index, name } of pool.backends) {
      this.#parts.scoreboard.setEnabled(index, this.modeOf(name) === 'enabled');
    }
  }

  /** The configuration is another one. What it says anew of a backend, by name, counts before earlier orders. */
  revise(revisionOf: (name: string) => Revision): void {
    for (const name of new Set([...this.#modes.keys(), ...this.#weights.keys()])) {
      const revision = revisionOf(name);
      if (revision.kind === 'gone') this.#forget(name);
      if (revision.kind === 'weight') this.#forgetWeight(name, revision.weight);
    }
  }

  /** `by` is who gave the order. Returns whether it changes anything. */
  obey(backend: Backend, order: Order, by: string): boolean {
    return order.kind === 'mode'
      ? this.#setMode(backend, order.mode, by)
      : this.#setWeight(backend, order.weight, by);
  }

  /** Sessions may have ended: tells of those that are drained now. */
  review(): void {
    if (this.#settling !== undefined) return;
    for (const [name, mode] of this.#modes) {
      const backend = mode === 'draining' ? this.#backends.get(name) : undefined;
      if (backend) this.#reviewDraining(backend);
    }
  }

  /** All that is in force. */
  save(): SavedOrders[] {
    const names = new Set([...this.#modes.keys(), ...this.#weights.keys()]);
    return [...names].map((backend) => {
      return { backend, mode: this.modeOf(backend), weight: this.#weights.get(backend) };
    });
  }

  /** What is in force for a backend that is not there, and may come. */
  keep({ backend, mode, weight }: SavedOrders): void {
    if (mode !== 'enabled') this.#modes.set(backend, mode);
    if (weight !== undefined) this.#weights.set(backend, weight);
  }

  stop(): void {
    this.#settling?.cancel();
  }

  #setMode(backend: Backend, mode: OperatorMode, by: string): boolean {
    const { name, index } = backend;
    const before = this.modeOf(name);
    if (mode === before) return false;
    if (mode === 'enabled') this.#modes.delete(name);
    else this.#modes.set(name, mode);
    this.#drained.delete(name);
    this.#parts.scoreboard.setEnabled(index, mode === 'enabled');
    this.#announce(backend, before, mode, by);
    if (mode === 'draining') this.#settle();
    return true;
  }

  #setWeight(backend: Backend, weight: number | undefined, by: string): boolean {
    const { name } = backend;
    const before = this.weightOf(backend);
    if (weight === undefined) this.#weights.delete(name);
    else this.#weights.set(name, weight);
    const after = this.weightOf(backend);
    if (after === before) return false;
    this.#announceWeight(backend, before, after, by);
    return true;
  }

  #forget(name: string): void {
    this.#modes.delete(name);
    this.#weights.delete(name);
    this.#drained.delete(name);
  }

  /** Of a backend that weighs `weight` from now on. */
  #forgetWeight(name: string, weight: number): void {
    const before = this.#weights.get(name);
    const backend = this.#backends.get(name);
    this.#weights.delete(name);
    if (before === undefined || before === weight || !backend) return;
    this.#announceWeight(backend, before, weight, 'the configuration');
  }

  #settle(): void {
    this.#settling?.cancel();
    this.#settling = this.#parts.clock.setTimer(settleTime, () => {
      this.#settling = undefined;
      this.review();
    });
  }

  #reviewDraining(backend: Backend): void {
    const { name, index } = backend;
    const isDrained = this.#parts.scoreboard.active(index) === 0;
    if (isDrained === this.#drained.has(name)) return;
    if (isDrained) {
      this.#drained.add(name);
      this.#announce(backend, 'draining', 'drained');
    } else {
      // A transfer that had ended goes on.
      this.#drained.delete(name);
    }
  }

  #announceWeight({ name, address }: Backend, from: number, to: number, by: string): void {
    this.#parts.emit({
      kind: 'backend.weight',
      service: this.#service,
      backend: name,
      address,
      from,
      to,
      by,
    });
  }

  #announce({ name, address }: Backend, from: string, to: OperatorMode | 'drained', by?: string): void {
    const service = this.#service;
    const reason = by === undefined ? 'no session is left' : 'operator';
    const common = { kind: 'backend.state', service, backend: name, address, from, to, reason } as const;
    this.#parts.emit(by === undefined ? common : { ...common, by });
  }
}
