/**
 * Which backends a policy may pick from. A policy knows nothing of health, drain, limits and retries.
 *
 * A backend is eligible when it is enabled, under its limit of active sessions and not yet tried for this request.
 * Eligible backends are asked in this order, and a class is asked only if all classes above it are empty:
 *
 *   1. up, not ejected
 *   2. up, ejected          live traffic has failed there a moment ago
 *   3. down, not ejected    } only if every enabled backend is down: then health itself is doubted, because
 *   4. down, ejected        } a pool that fails as a whole is rarer than checks that fail as a whole
 *
 * While one enabled backend is up, a backend that is down is never picked, even if the one that is up is full or has
 * been tried. A backend that is not enabled (draining, disabled) is never picked and has no say in whether all are
 * down. Nothing eligible gives -1.
 *
 * The limit is compared with the sessions of all workers. Workers that pick in the same instant do not see each
 * other's session yet, so a limit can be passed by as many sessions as there are other workers.
 */
import type { Eligible, PickRequest, Policy, Pool } from './pool.ts';
import type { Scoreboard } from './scoreboard.ts';

const upClass = 0;
const downClass = 2;
const ejectedStep = 1;
const notEligible = 4;

/** Allocates nothing after its construction. */
export class Selector {
  readonly #pool: Pool;
  readonly #policy: Policy;
  readonly #scoreboard: Scoreboard;
  readonly #maxPerBackend: number;
  /** The class of each backend of the pool, read once per selection: flags may change while it goes on. */
  readonly #classes: Uint8Array;
  readonly #eligible: Eligible;
  #anyUp = false;
  #anyFull = false;
  #doubted = false;

  /** `maxPerBackend` 0 means no limit. */
  constructor(pool: Pool, policy: Policy, scoreboard: Scoreboard, maxPerBackend: number) {
    this.#pool = pool;
    this.#policy = policy;
    this.#scoreboard = scoreboard;
    this.#maxPerBackend = maxPerBackend;
    this.#classes = new Uint8Array(pool.backends.length);
    this.#eligible = { indexes: new Int32Array(pool.backends.length), count: 0, retry: false };
  }

  /** Whether the last `select` ignored health because every enabled backend is down. */
  get doubted(): boolean {
    return this.#doubted;
  }

  /** Whether the last `select` passed over a backend because it was at its limit. */
  get full(): boolean {
    return this.#anyFull;
  }

  /**
   * The scoreboard index of a backend for this request, or -1. `tried` holds the indexes that it has been with. Where
   * `preferred` is one of those that the policy might pick, it is taken, and the policy not asked.
   */
  select(request: PickRequest, tried: readonly number[], preferred = -1): number {
    const best = this.#classify(tried);
    this.#doubted = best >= downClass && best < notEligible && !this.#anyUp;
    if (best === notEligible || (best >= downClass && this.#anyUp)) return -1;
    const hasPreferred = this.#gather(best, preferred);
    if (hasPreferred) return preferred;
    this.#eligible.retry = tried.length > 0;
    return this.#policy.pick(this.#eligible, request);
  }

  /** Puts every backend into its class and returns the first class that is not empty. */
  #classify(tried: readonly number[]): number {
    const { backends } = this.#pool;
    let best = notEligible;
    this.#anyUp = false;
    this.#anyFull = false;
    for (let at = 0; at < backends.length; at += 1) {
      const index = backends[at]?.index ?? -1;
      const ownClass = this.#classOf(index, tried);
      this.#classes[at] = ownClass;
      if (ownClass < best) best = ownClass;
    }
    return best;
  }

  #classOf(index: number, tried: readonly number[]): number {
    if (!this.#scoreboard.isEnabled(index)) return notEligible;
    const isUp = this.#scoreboard.isUp(index);
    if (isUp) this.#anyUp = true;
    if (tried.includes(index) || this.#isFull(index)) return notEligible;
    return (isUp ? upClass : downClass) + (this.#scoreboard.isEjected(index) ? ejectedStep : 0);
  }

  #isFull(index: number): boolean {
    const isFull = this.#maxPerBackend > 0 && this.#scoreboard.active(index) >= this.#maxPerBackend;
    if (isFull) this.#anyFull = true;
    return isFull;
  }

  /** Returns whether `preferred` is among them. */
  #gather(wanted: number, preferred: number): boolean {
    const { indexes } = this.#eligible;
    let count = 0;
    let hasPreferred = false;
    for (let at = 0; at < this.#classes.length; at += 1) {
      if (this.#classes[at] !== wanted) continue;
      const index = this.#pool.backends[at]?.index ?? -1;
      if (index === preferred) hasPreferred = true;
      indexes[count] = index;
      count += 1;
    }
    this.#eligible.count = count;
    return hasPreferred;
  }
}
