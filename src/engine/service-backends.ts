import { mayEject } from '../balance/ejection-limit.ts';
import type { Backend, PickRequest } from '../balance/pool.ts';
import type { Scoreboard, ScoreWriter } from '../balance/scoreboard.ts';
import type { Clock } from '../net/net.ts';
import type { BackendSuspect } from '../observe/events.ts';
import { BackendPool, type BackendPoolParts } from './backend-pool.ts';
import type { EngineParts } from './engine.ts';
import type { Route, Service } from './snapshot.ts';
import type { TimerWheel } from './timer-wheel.ts';

/** What a session wants a backend for. */
export interface Asking extends PickRequest {
  /** Place of its route among those of the service, or `noRoute`. */
  readonly route: number;
}

/** Whose backend it is, as affinity knows it. */
export type Place = Pick<Asking, 'client' | 'route'>;

/** The backends of one service, as its sessions see them: who is asked next, and what is counted for whom. */
export class ServiceBackends {
  readonly #scoreboard: Scoreboard;
  readonly #writer: ScoreWriter;
  readonly #emit: EngineParts['emit'];
  readonly #poolParts: BackendPoolParts;
  #service: Service;
  /** That of the whole service first, then those of its routes. */
  #pools: BackendPool[] = [];
  #byIndex: ReadonlyMap<number, Backend>;

  constructor(parts: EngineParts<Pick<Clock, 'now'>>, service: Service, wheel: TimerWheel) {
    const { scoreboard, worker, emit, net: clock, epoch = 0 } = parts;
    this.#scoreboard = scoreboard;
    this.#writer = scoreboard.writer(worker);
    this.#emit = emit;
    this.#poolParts = { scoreboard, wheel, clock, epoch };
    this.#service = service;
    this.#byIndex = byIndex(service);
    this.#updatePools(service);
  }

  /** The service may have another pool, policy, limit or route now. A session that goes on has the route at its place. */
  update(service: Service): void {
    this.#updatePools(service);
    this.#byIndex = byIndex(service);
    this.#service = service;
  }

  /** The service's sessions that have not ended, those of other workers included. */
  get active(): number {
    return this.#scoreboard.activeOf(this.#service.index);
  }

  /** The backend to ask next, or undefined when none is eligible. `tried` has scoreboard indexes. */
  pick(asking: Asking, tried: readonly number[]): Backend | undefined {
    const pool = this.#poolOf(asking);
    const index = pool?.pick(asking, tried) ?? -1;
    if (index >= 0 && pool?.isDoubted) {
      this.#emit({ kind: 'health.doubted', service: this.#service.name });
    }
    return this.#byIndex.get(index);
  }

  /** The backend of the pool with this scoreboard index. */
  named(index: number): Backend | undefined {
    return this.#byIndex.get(index);
  }

  /**
   * The same among the backends that `name` stands for: one, or `name@address` for each address of a host. One that is
   * down by its checks is asked all the same, because there is no other.
   */
  pickNamed(name: string, asking: Asking, tried: readonly number[]): Backend | undefined {
    return this.#byIndex.get(this.#poolOf(asking)?.pickNamed(name, asking, tried) ?? -1);
  }

  /** Whether a backend that the last pick might have found was at its limit. */
  isFullFor(place: Place): boolean {
    return this.#poolOf(place)?.isFull ?? false;
  }

  /** Takes the backend out of the first rank, unless too many are out already, and tells the control plane. */
  suspect(backend: Backend, reason: BackendSuspect['reason']): void {
    const { name: service, pool } = this.#service;
    if (mayEject(pool, this.#scoreboard, backend.index)) this.#scoreboard.setEjected(backend.index, true);
    this.#emit({ kind: 'backend.suspect', service, backend: backend.name, index: backend.index, reason });
  }

  /** While it is held, a backend's index goes to no other. */
  hold(backend: Backend): void {
    this.#writer.hold(backend.index);
  }

  letGo(backend: Backend): void {
    this.#writer.letGo(backend.index);
  }

  /** The active sessions of `from` are one less, those of `to` one more; undefined where there is none. */
  moveActive(from: Backend | undefined, to: Backend | undefined, whose: Place): void {
    const { index } = this.#service;
    if (from) this.#writer.sessionEnded(index, from.index);
    if (to) this.#writer.sessionStarted(index, to.index);
    if (to) this.#poolOf(whose)?.began(whose.client, to.name, from === undefined);
    else if (from) this.#poolOf(whose)?.ended(whose.client);
  }

  /** A session that has no backend yet counts for the service alone. */
  waitBegan(): void {
    this.#writer.waitBegan(this.#service.index);
  }

  waitEnded(): void {
    this.#writer.waitEnded(this.#service.index);
  }

  streamed(to: 'client' | 'backend', backend: Backend, bytes: number): void {
    if (to === 'client') this.#writer.streamedToClient(backend.index, bytes);
    else this.#writer.streamedToBackend(backend.index, bytes);
  }

  #poolOf({ route }: Place): BackendPool | undefined {
    return this.#pools[route + 1];
  }

  #updatePools(service: Service): void {
    const routes: readonly (Route | undefined)[] = [
      undefined,
      ...(service.kind === 'tftp' ? (service.routes ?? []) : []),
    ];
    const known = this.#pools;
    this.#pools = routes.map((route, at) => {
      const pool = known[at];
      pool?.update(service, route);
      return pool ?? new BackendPool(this.#poolParts, service, route);
    });
    for (const pool of known.slice(routes.length)) pool.close();
  }
}

function byIndex({ pool }: Service): ReadonlyMap<number, Backend> {
  return new Map(pool.backends.map((backend) => [backend.index, backend]));
}
