import type { Emit, Event } from '../observe/events.ts';

/** Events that make a batch leave at once. */
const maxEvents = 256;

/** Collects the events of a worker, so that many of them cross to the control plane in one message. */
export class EventBatch {
  readonly #post: (events: readonly Event[]) => void;
  readonly #later: (flush: () => void) => void;
  #events: Event[] = [];
  #isAwaited = false;

  /** `later` calls back once, soon. */
  constructor(post: (events: readonly Event[]) => void, later: (flush: () => void) => void) {
    this.#post = post;
    this.#later = later;
  }

  /** Bound, so that it can be handed on by itself. */
  readonly emit: Emit = (event) => {
    this.#events.push(event);
    if (this.#events.length >= maxEvents) this.flush();
    else if (!this.#isAwaited) this.#await();
  };

  /** Posts what there is now. */
  flush(): void {
    if (this.#events.length === 0) return;
    const events = this.#events;
    this.#events = [];
    this.#post(events);
  }

  #await(): void {
    this.#isAwaited = true;
    this.#later(() => {
      this.#isAwaited = false;
      this.flush();
    });
  }
}
