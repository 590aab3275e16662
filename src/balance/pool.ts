/** A backend as discovery finds it. */
export interface FoundBackend {
  /** Unique in its service; what logs, metrics and operators call it. */
  readonly name: string;
  /** Numeric address. */
  readonly address: string;
  readonly port: number;
  /** 1 to 256. */
  readonly weight: number;
}

/**
 * A backend of a pool. Its `index` names its row in the scoreboard; it keeps that index for as long as it is known or
 * a session holds it.
 */
export interface Backend extends FoundBackend {
  readonly index: number;
}

/** Whether it is the same backend as before, perhaps with another weight. */
export function isSameBackend(one: FoundBackend, other: FoundBackend | undefined): boolean {
  return one.name === other?.name && one.address === other.address && one.port === other.port;
}

/** The set of backends of one service, as an immutable snapshot. */
export interface Pool {
  readonly backends: readonly Backend[];
}

/** What a policy may look at when it picks. Numbers are -1 where they do not apply. */
export interface PickRequest {
  /** The client's numeric address. */
  readonly client: string;
}

/** The backends that a policy may pick from, as indexes into the scoreboard: the first `count` entries of `indexes`. */
export interface Eligible {
  readonly indexes: Int32Array;
  count: number;
  /** Whether the request has been with another backend already. Then the pick takes no turn from new requests. */
  retry: boolean;
}

/**
 * Picks one backend out of `eligible`, which is never empty, and returns its scoreboard index.
 * Health, drain, limits and retries are the selector's business, never a policy's.
 */
export interface Policy {
  pick(eligible: Eligible, request: PickRequest): number;
}
