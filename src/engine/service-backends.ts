import { mayEject } from '../balance/ejection-limit.ts';
import { type Backend, isSamePool, type PickRequest, type Policy } from '../balance/pool.ts';
import { policies } from '../balance/policies.ts';
import type { Scoreboard, ScoreWriter } from '../balance/scoreboard.ts';
import { Selector } from '../balance/selector.ts';
import type { BackendSuspect } from '../observe/events.ts';
import type { EngineParts } from './engine.ts';
import type { Service } from './snapshot.ts';

/** The backends of one service, as its sessions see them: who is asked next, and what is counted for whom. */
export class ServiceBackends {
  readonly #scoreboard: Scoreboard;
  readonly #writer: ScoreWriter;
  readonly #emit: EngineParts['emit'];
  #service: Service;
  #policy: Policy;
  #selector: Selector;
  #byIndex: ReadonlyMap<number, Backend>;

  constructor({ scoreboard, worker, emit }: EngineParts<unknown>, service: Service) {
    this.#scoreboard = scoreboard;
    this.#writer = scoreboard.writer(worker);
    this.#emit = emit;
    this.#service = service;
    this.#byIndex = byIndex(service);
    this.#policy = this.#policyFor(service);
    this.#selector = this.#selectorFor(service);
  }

  /** The service may have another pool, policy or limit now. */
  update(service: Service): void {
    // Snapshots come for the sake of other services, too, and the table of a hash takes milliseconds to work out.
    const isSame = service.policy === this.#service.policy && isSamePool(service.pool, this.#service.pool);
    if (!isSame) this.#policy = this.#policyFor(service);
    this.#selector = this.#selectorFor(service);
    this.#byIndex = byIndex(service);
    this.#service = service;
  }

  /** The service's sessions that have not ended, those of other workers included. */
  get active(): number {
    return this.#scoreboard.activeOf(this.#service.index);
  }

  /** The backend to ask next, or undefined when none is eligible. `tried` has scoreboard indexes. */
  pick(request: PickRequest, tried: readonly number[]): Backend | undefined {
    const index = this.#selector.select(request, tried);
    if (index >= 0 && this.#selector.doubted) {
      this.#emit({ kind: 'health.doubted', service: this.#service.name });
    }
    return this.#byIndex.get(index);
  }

  /**
   * The same among the backends that `name` stands for: one, or `name@address` for each address of a host. One that is
   * down by its checks is asked all the same, because there is no other.
   */
  pickNamed(name: string, request: PickRequest, tried: readonly number[]): Backend | undefined {
    const { pool, limits } = this.#service;
    const backends = pool.backends.filter(
      (backend) => backend.name === name || backend.name.startsWith(`${name}@`),
    );
    const selector = new Selector({ backends }, this.#policy, this.#scoreboard, limits.perBackend);
    return this.#byIndex.get(selector.select(request, tried));
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
  moveActive(from: Backend | undefined, to: Backend | undefined): void {
    const { index } = this.#service;
    if (from) this.#writer.sessionEnded(index, from.index);
    if (to) this.#writer.sessionStarted(index, to.index);
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

  #policyFor({ pool, policy, index }: Service): Policy {
    return policies[policy](pool, this.#scoreboard, index);
  }

  #selectorFor({ pool, limits }: Service): Selector {
    return new Selector(pool, this.#policy, this.#scoreboard, limits.perBackend);
  }
}

function byIndex({ pool }: Service): ReadonlyMap<number, Backend> {
  return new Map(pool.backends.map((backend) => [backend.index, backend]));
}
