/** How hosts of a MemoryNet are joined. Probabilities are 0 to 1. */
export interface LinkModel {
  /** Probability that a datagram, or the ICMP refusal of one, vanishes. */
  readonly loss: number;
  /** Probability that a datagram arrives twice. */
  readonly duplication: number;
  /** Probability that a datagram is held back for up to two times maxDelay more, so that others overtake it. */
  readonly reordering: number;
  /** Milliseconds on the way, uniform between both. Datagrams that are not held back keep their order. */
  readonly minDelay: number;
  readonly maxDelay: number;
}

export const perfectLink: LinkModel = {
  loss: 0,
  duplication: 0,
  reordering: 0,
  minDelay: 0.1,
  maxDelay: 0.1,
};

/** Milliseconds on the way, by chance. */
export function delayOf(model: LinkModel, random: () => number): number {
  return model.minDelay + random() * (model.maxDelay - model.minDelay);
}

/** One direction between two hosts. */
export class MemoryLink {
  readonly #random: () => number;
  #lastInOrder = 0;

  constructor(random: () => number) {
    this.#random = random;
  }

  /** When each copy of a datagram that is sent now arrives: no, one or two moments. */
  arrivals(model: LinkModel, now: number): number[] {
    if (this.#chance(model.loss)) return [];
    const first = this.#arrival(model, now);
    return this.#chance(model.duplication) ? [first, this.#arrival(model, now)] : [first];
  }

  #arrival(model: LinkModel, now: number): number {
    const arrival = now + delayOf(model, this.#random);
    if (this.#chance(model.reordering)) return arrival + (1 + this.#random()) * model.maxDelay;
    this.#lastInOrder = Math.max(arrival, this.#lastInOrder);
    return this.#lastInOrder;
  }

  #chance(probability: number): boolean {
    return probability > 0 && this.#random() < probability;
  }
}
