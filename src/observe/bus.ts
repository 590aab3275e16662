import type { Emit, Event } from './events.ts';

export type Subscriber = (event: Event) => void;

interface Subscription {
  readonly subscriber: Subscriber;
  hasFailed: boolean;
}

/**
 * Hands every event to every subscriber, at once and in the order in which they came.
 *
 * Who emits is in the middle of a transfer, and who subscribes only watches: a subscriber that throws must neither
 * break the transfer nor blind the others. So it is called again with the next event, and its first error goes to
 * `onFault`; the later ones are most likely the same, at the rate of the traffic, and are dropped.
 */
export class Bus {
  readonly #subscriptions = new Set<Subscription>();
  readonly #onFault: (error: unknown) => void;

  /** `onFault` must not throw. */
  constructor(onFault: (error: unknown) => void) {
    this.#onFault = onFault;
  }

  /** Bound, so that it can be handed on by itself. */
  readonly emit: Emit = (event) => {
    for (const subscription of this.#subscriptions) this.#tell(subscription, event);
  };

  /** Returns what ends the subscription. */
  subscribe(subscriber: Subscriber): () => void {
    const subscription: Subscription = { subscriber, hasFailed: false };
    this.#subscriptions.add(subscription);
    return () => void this.#subscriptions.delete(subscription);
  }

  #tell(subscription: Subscription, event: Event): void {
    try {
      subscription.subscriber(event);
    } catch (error) {
      if (subscription.hasFailed) return;
      subscription.hasFailed = true;
      this.#onFault(error);
    }
  }
}
