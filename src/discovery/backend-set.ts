/**
 * What a source has told of its backends, and when it tells more: a set that differs from the last one at once, an
 * empty one only when the source has been empty for the grace. That servers are gone is found out by health checks;
 * that they were forgotten by mistake is found out by clients.
 */
import { type FoundBackend, isSameBackend } from '../balance/pool.ts';
import type { Clock } from '../net/net.ts';
import type { SourceUpdate } from './backend-source.ts';

/** There is no backend where there should be some. */
export class NoBackendsError extends Error {
  override readonly name = 'NoBackendsError';
  readonly code = 'TLB_ERR_NO_BACKENDS';

  constructor(source: string) {
    super(`there are no backends in ${source}`);
  }
}

export interface BackendSetOptions {
  /** What the backends are found in, for messages. */
  readonly source: string;
  /** Milliseconds for which an empty set is doubted. */
  readonly emptyGrace: number;
}

export class BackendSet {
  readonly #clock: Pick<Clock, 'now'>;
  readonly #options: BackendSetOptions;
  readonly #onUpdate: (update: SourceUpdate) => void;
  #told: readonly FoundBackend[] | undefined;
  #emptySince: number | undefined;

  constructor(
    clock: Pick<Clock, 'now'>,
    options: BackendSetOptions,
    onUpdate: (update: SourceUpdate) => void,
  ) {
    this.#clock = clock;
    this.#options = options;
    this.#onUpdate = onUpdate;
  }

  /** These are all that there are now. Throws NoBackendsError as long as an empty set is not believed; a first never is. */
  replace(backends: readonly FoundBackend[]): void {
    if (backends.length > 0) this.#emptySince = undefined;
    else if (this.#isDoubtful()) throw new NoBackendsError(this.#options.source);
    if (this.#told !== undefined && areSame(backends, this.#told)) return;
    this.#told = backends;
    this.#onUpdate({ kind: 'backends', backends });
  }

  #isDoubtful(): boolean {
    if (this.#told === undefined) return true;
    const now = this.#clock.now();
    this.#emptySince ??= now;
    return this.#told.length > 0 && now - this.#emptySince < this.#options.emptyGrace;
  }
}

function areSame(some: readonly FoundBackend[], others: readonly FoundBackend[]): boolean {
  return (
    some.length === others.length &&
    some.every((one, at) => isSameBackend(one, others[at]) && one.weight === others[at]?.weight)
  );
}
