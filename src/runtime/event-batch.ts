import type { Emit, Event } from '../observe/events.ts';
import type { Receipts } from './receipts.ts';

/** Events that make a batch leave at once. */
const maxEvents = 256;
/** Events that may be under way when one more batch leaves: some 10 MB. */
const maxUntaken = 16_384;

export interface EventBatchParts {
  readonly post: (events: readonly Event[]) => void;
  /** Calls back once, soon. */
  readonly later: (flush: () => void) => void;
  readonly receipts: Receipts;
}

/**
 * Collects the events of a worker, so that many of them cross to the control plane in one message. Whoever tells more
 * than the control plane can take is stopped until it has: datagrams wait in the system's buffers meanwhile, and where
 * these are full, requests are lost, which clients repeat.
 */
export class EventBatch {
  readonly #parts: EventBatchParts;
  #events: Event[] = [];
  #posted = 0;
  #isAwaited = false;

  constructor(parts: EventBatchParts) {
    this.#parts = parts;
  }

  /** Bound, so that it can be handed on by itself. */
  readonly emit: Emit = (event) => {
    this.#events.push(event);
    if (this.#events.length >= maxEvents) this.#send();
    else if (!this.#isAwaited) this.#await();
  };

  /** Posts what there is now, and waits for nothing. */
  flush(): void {
    if (this.#events.length === 0) return;
    const events = this.#events;
    this.#events = [];
    this.#posted += events.length;
    this.#parts.post(events);
  }

  #send(): void {
    this.#parts.receipts.wait(this.#posted, maxUntaken);
    this.flush();
  }

  #await(): void {
    this.#isAwaited = true;
    this.#parts.later(() => {
      this.#isAwaited = false;
      this.#send();
    });
  }
}
