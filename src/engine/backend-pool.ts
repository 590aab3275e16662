/** Backends that some requests of a service are shared out over: all of the service's, or those of one route. */
import { hashOf } from '../balance/hash.ts';
import { isSamePool, type PickRequest, type Policy, type Pool } from '../balance/pool.ts';
import { policies } from '../balance/policies.ts';
import type { Scoreboard } from '../balance/scoreboard.ts';
import { Selector } from '../balance/selector.ts';
import type { Clock } from '../net/net.ts';
import { ClientAffinity } from './client-affinity.ts';
import { serves } from './routes.ts';
import type { PolicyName, Route, Service } from './snapshot.ts';
import type { TimerWheel } from './timer-wheel.ts';

export interface BackendPoolParts {
  readonly scoreboard: Scoreboard;
  readonly wheel: TimerWheel;
  readonly clock: Pick<Clock, 'now'>;
  /** Milliseconds from `clock` to one that all workers share. */
  readonly epoch: number;
}

export class BackendPool {
  readonly #parts: BackendPoolParts;
  #pool: Pool = { backends: [] };
  #policyName: PolicyName | undefined;
  #policy: Policy;
  #selector: Selector;
  #perBackend = 0;
  #affinity: ClientAffinity | undefined;
  /** Scoreboard indexes by the hash of the name. */
  #byName: ReadonlyMap<number, number> = new Map();

  constructor(parts: BackendPoolParts, service: Service, route: Route | undefined) {
    this.#parts = parts;
    this.#policy = policies[service.policy](this.#pool, parts.scoreboard, service.index);
    this.#selector = this.#selectorOf(this.#pool);
    this.update(service, route);
  }

  update(service: Service, route: Route | undefined): void {
    const { scoreboard } = this.#parts;
    const pool = poolOf(service, route);
    // Snapshots come for the sake of other services, too, and the table of a hash takes milliseconds to work out.
    if (service.policy !== this.#policyName || !isSamePool(pool, this.#pool)) {
      this.#policy = policies[service.policy](pool, scoreboard, route?.row ?? service.index);
      this.#policyName = service.policy;
    }
    this.#pool = pool;
    this.#perBackend = service.limits.perBackend;
    this.#selector = this.#selectorOf(pool);
    this.#byName = new Map(pool.backends.map(({ name, index }) => [hashOf(name), index]));
    this.#updateAffinity(service, route);
  }

  /** Whether the last pick ignored health because every enabled backend is down. */
  get isDoubted(): boolean {
    return this.#selector.doubted;
  }

  /** Whether the last pick passed over a backend because it was at its limit. */
  get isFull(): boolean {
    return this.#selector.full;
  }

  /** The scoreboard index of the backend to ask next, or -1. */
  pick(request: PickRequest, tried: readonly number[]): number {
    const had = this.#affinity?.backendOf(request.client);
    return this.#selector.select(request, tried, this.#byName.get(had ?? -1) ?? -1);
  }

  /** The same among the backends that `name` stands for, whatever the client had before. */
  pickNamed(name: string, request: PickRequest, tried: readonly number[]): number {
    const backends = this.#pool.backends.filter((backend) => serves({ backends: [name] }, backend));
    return this.#selectorOf({ backends }).select(request, tried);
  }

  /** A session of the client is with a backend of this name now. `isNew`: it was with none before. */
  began(client: string, backend: string, isNew: boolean): void {
    this.#affinity?.began(client, hashOf(backend), isNew);
  }

  ended(client: string): void {
    this.#affinity?.ended(client);
  }

  close(): void {
    this.#affinity?.close();
    this.#affinity = undefined;
  }

  #selectorOf(pool: Pool): Selector {
    return new Selector(pool, this.#policy, this.#parts.scoreboard, this.#perBackend);
  }

  #updateAffinity({ affinity }: Service, route: Route | undefined): void {
    if (!affinity) return this.close();
    const own = { ...affinity, key: affinity.key ^ keyOf(route) };
    if (this.#affinity) this.#affinity.update(own);
    else this.#affinity = new ClientAffinity(this.#parts, own);
  }
}

function poolOf({ pool }: Service, route: Route | undefined): Pool {
  return route ? { backends: pool.backends.filter((backend) => serves(route, backend)) } : pool;
}

/** A client has one backend among all of them, and another one among others. */
function keyOf(route: Route | undefined): number {
  return route?.backends ? hashOf(JSON.stringify(route.backends.toSorted())) : 0;
}
