import { formatEndpoint } from '../net/net.ts';

export const maxWeight = 256;

/** A backend as the operator gives it. */
export interface BackendSpec {
  /** Numeric address or host name. */
  readonly host: string;
  readonly port: number;
  /** 1 to `maxWeight`. */
  readonly weight: number;
  readonly name?: string | undefined;
}

export interface NamedSpec extends BackendSpec {
  readonly name: string;
}

/** Two backends of one service would have the same name. */
export class DuplicateBackendError extends Error {
  override readonly name = 'DuplicateBackendError';
  readonly code = 'TLB_ERR_DUPLICATE_BACKEND';

  constructor(backend: string) {
    super(`two backends are called "${backend}": give each a name of its own, or remove one`);
  }
}

/**
 * Gives every backend its name: the one it was given, else its host, else (where several share the host) host and
 * port. Throws DuplicateBackendError.
 */
export function nameSpecs(specs: readonly BackendSpec[]): NamedSpec[] {
  const named = specs.map((spec) => ({ ...spec, name: spec.name ?? defaultName(spec, specs) }));
  const names = new Set<string>();
  for (const { name } of named) {
    if (names.has(name)) throw new DuplicateBackendError(name);
    names.add(name);
  }
  return named;
}

/** What one of the addresses of a backend whose host has several is called. */
export function nameAt(spec: string, address: string): string {
  return `${spec}@${address}`;
}

/** The name that the operator gave, of a backend that may be one of several addresses. */
export function specNameOf(backend: string): string {
  const [spec = backend] = backend.split('@', 1);
  return spec;
}

function defaultName(spec: BackendSpec, specs: readonly BackendSpec[]): string {
  const unnamed = specs.filter((other) => other.host === spec.host && other.name === undefined);
  return unnamed.length === 1 ? spec.host : formatEndpoint(spec.host, spec.port);
}
