export interface RetryRule {
  /** Milliseconds of silence before the first repeat. */
  readonly timeout: number;
  /** Repeats in a row without any progress, after which the transfer is given up. */
  readonly retries: number;
}

/** The wait is doubled this often at most: eight times the timeout is patience enough for any link. */
const maxDoublings = 3;

/** The retransmission timer of one end (RFC 1123 section 4.2.3.2 asks for exponential back-off). */
export class Backoff {
  readonly #rule: RetryRule;
  #tries = 0;
  #deadline: number | undefined;

  constructor(rule: RetryRule) {
    this.#rule = rule;
  }

  get deadline(): number | undefined {
    return this.#deadline;
  }

  /** There was progress: the timer starts anew, with all retries ahead. */
  start(now: number): void {
    this.#tries = 0;
    this.#deadline = now + this.#rule.timeout;
  }

  /** Nobody is waited for. */
  stop(): void {
    this.#deadline = undefined;
  }

  /** The deadline has passed. Says whether to repeat once more, and if so, starts a longer wait. */
  retry(now: number): boolean {
    this.#tries += 1;
    if (this.#tries > this.#rule.retries) {
      this.#deadline = undefined;
      return false;
    }
    this.#deadline = now + this.#rule.timeout * 2 ** Math.min(this.#tries, maxDoublings);
    return true;
  }
}
