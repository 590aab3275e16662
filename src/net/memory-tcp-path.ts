import type { VirtualClock } from './memory-clock.ts';

/** Milliseconds until the system gives up a connection whose way is cut: what keepalive takes to notice. */
const patience = 70_000;

/** What one end of a connection tells the other. */
export type Segment =
  /** Asks for a connection. */
  | { readonly kind: 'syn' }
  /** Grants it. */
  | { readonly kind: 'accepted' }
  | { readonly kind: 'data'; readonly data: Uint8Array }
  /** So many bytes were handed to the receiver: there is room for as many more. */
  | { readonly kind: 'taken'; readonly bytes: number }
  | { readonly kind: 'fin' }
  | { readonly kind: 'reset' };

/** The way from one end to the other. */
export interface Way {
  /** Milliseconds, for what is sent now. */
  delay(): number;
  isCut(): boolean;
  deliver(segment: Segment): void;
  /** It was cut for too long. */
  onLost(): void;
  /** The path is closed, and nothing is on its way any more. */
  onOver(): void;
}

/** One direction of a connection: nothing is lost and nothing overtakes, and all of it waits while the way is cut. */
export class MemoryTcpPath {
  readonly #clock: VirtualClock;
  readonly #way: Way;
  readonly #queue: { readonly segment: Segment; readonly due: number }[] = [];
  #lastDue = 0;
  #stalled = false;
  #closed = false;
  #outage: object | undefined;

  constructor(clock: VirtualClock, way: Way) {
    this.#clock = clock;
    this.#way = way;
  }

  /** Does nothing once the path is closed. */
  send(segment: Segment): void {
    if (this.#closed) return;
    this.#lastDue = Math.max(this.#clock.now() + this.#way.delay(), this.#lastDue);
    this.#queue.push({ segment, due: this.#lastDue });
    if (this.#queue.length === 1) this.#planNext();
  }

  /** Sends no more; what was sent arrives. */
  close(): void {
    this.#closed = true;
    if (this.#queue.length === 0) this.#way.onOver();
  }

  /** Sends no more, and what was sent never arrives. */
  abandon(): void {
    this.#queue.length = 0;
    this.close();
  }

  /** The way may have been cut, or have opened again. */
  lookAgain(): void {
    if (!this.#way.isCut()) this.#mend();
    else if (this.#outage === undefined) this.#wait();
  }

  #mend(): void {
    this.#outage = undefined;
    if (!this.#stalled) return;
    this.#stalled = false;
    this.#planNext();
  }

  #wait(): void {
    const outage = {};
    this.#outage = outage;
    this.#clock.plan(this.#clock.now() + patience, () => {
      if (this.#outage === outage) this.#way.onLost();
    });
  }

  #planNext(): void {
    const [next] = this.#queue;
    if (next !== undefined) this.#clock.plan(next.due, this.#arrive);
    else if (this.#closed) this.#way.onOver();
  }

  readonly #arrive = (): void => {
    if (this.#way.isCut()) {
      this.#stalled = true;
      return;
    }
    const arrived = this.#queue.shift();
    this.#planNext();
    if (arrived !== undefined) this.#way.deliver(arrived.segment);
  };
}
