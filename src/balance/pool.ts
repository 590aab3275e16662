/** A backend as discovery finds it. */
export interface FoundBackend {
  /** Unique in its service; what logs, metrics and operators call it. */
  readonly name: string;
  /** Numeric address. */
  readonly address: string;
  /** The host name that the address was found by; left out where there was none. */
  readonly host?: string;
  readonly port: number;
  /** 1 to 256. */
  readonly weight: number;
}

/**
 * A backend of a pool. Its `index` names its row in the scoreboard; it keeps that index for as long as it is known or
 * a session holds it.
 *
 * Its `weight` is the one that counts now. Whatever makes a backend count less for a while than it was given, as a slow
 * start does, puts another weight into the next pool; policies know no other, and only the ratio of weights matters.
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
  /** In the order of the configuration. */
  readonly backends: readonly Backend[];
}

/** Whether the pools have the same backends in the same order, with the same indexes and weights. */
export function isSamePool({ backends }: Pool, other: Pool): boolean {
  return (
    backends.length === other.backends.length &&
    backends.every((backend, at) => {
      const match = other.backends[at];
      return (
        isSameBackend(backend, match) && backend.index === match?.index && backend.weight === match.weight
      );
    })
  );
}

/** The weight of each backend of the pool at its scoreboard index, 0 elsewhere. */
export function weightsByIndex({ backends }: Pool): Int32Array {
  const weights = new Int32Array(1 + Math.max(-1, ...backends.map(({ index }) => index)));
  for (const { index, weight } of backends) weights[index] = weight;
  return weights;
}

/** What a policy may look at when it picks. A text is empty where a protocol has nothing of the kind. */
export interface PickRequest {
  /** The client's numeric address. */
  readonly client: string;
  /** TFTP: the name in the request as the client wrote it, one character a byte. */
  readonly file: string;
  /** FTP: who logs in, where that is known before a backend is picked. */
  readonly user: string;
}

/**
 * The backends that a policy may pick from, as indexes into the scoreboard: the first `count` entries of `indexes`, in
 * the order of the pool.
 */
export interface Eligible {
  readonly indexes: Int32Array;
  count: number;
  /** Whether the request has been with another backend already. Then the pick takes no turn from new requests. */
  retry: boolean;
}

/**
 * Picks one backend out of `eligible`, which is never empty, and returns its scoreboard index. A pick allocates nothing.
 * Health, drain, limits and retries are the selector's business, never a policy's.
 */
export interface Policy {
  pick(eligible: Eligible, request: PickRequest): number;
}
