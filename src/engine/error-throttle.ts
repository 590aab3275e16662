/**
 * Decides whether a source gets another ERROR. Each gets one a second (two strangers that answer each other's
 * errors would never stop), and so many sources in all that forged ones cannot make the balancer a flood.
 */
const period = 1_000;
const maxSources = 1_024;

export class ErrorThrottle {
  readonly #answered = new Set<string>();
  #periodStart = -Infinity;

  /** `now` in milliseconds. Answering is up to the caller; a true counts as an answer. */
  mayAnswer(port: number, address: string, now: number): boolean {
    if (now - this.#periodStart >= period) {
      this.#answered.clear();
      this.#periodStart = now;
    }
    const source = `${address} ${port}`;
    if (this.#answered.has(source) || this.#answered.size >= maxSources) return false;
    this.#answered.add(source);
    return true;
  }
}
