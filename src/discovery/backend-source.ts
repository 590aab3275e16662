import type { FoundBackend } from '../balance/pool.ts';

export type SourceUpdate =
  /** All backends that there are now; replaces what was told before. */
  | { readonly kind: 'backends'; readonly backends: readonly FoundBackend[] }
  /** `source` (a host, a file) could not be asked: what it said last stays in force. */
  | ({ readonly kind: 'failed' } & Failure);

/** Why `source` could not be asked. */
export interface Failure {
  readonly source: string;
  readonly error: Error;
}

/** What was thrown while `source` was asked. */
export function failureOf(source: string, thrown: unknown): Failure {
  return { source, error: thrown instanceof Error ? thrown : new Error(String(thrown)) };
}

/** Where the backends of a service come from. */
export interface BackendSource {
  /**
   * Tells the full set at once and again whenever it has changed, until `signal` aborts. The promise resolves when the
   * first set has been told. It rejects with DiscoveryError if there is none, and with the signal's reason if that
   * came first. `onUpdate` must not throw.
   */
  watch(onUpdate: (update: SourceUpdate) => void, signal: AbortSignal): Promise<void>;
}

/** A service cannot start, because these sources have no backends to give. */
export class DiscoveryError extends Error {
  override readonly name = 'DiscoveryError';
  readonly code = 'TLB_ERR_DISCOVERY';
  readonly sources: readonly string[];

  constructor(failures: readonly Failure[]) {
    super(failures.map(({ error }) => error.message).join('; '), { cause: failures[0]?.error });
    this.sources = failures.map(({ source }) => source);
  }
}
