import type { Clock, Timer } from '../net/net.ts';

/**
 * Does something again and again, never twice at a time.
 *
 *   waiting --timer--> running --> waiting
 *      |                  ^
 *      hurry: the timer is shortened; while one runs, the wait behind it is
 */
export class Rounds {
  readonly #clock: Pick<Clock, 'setTimer'>;
  readonly #round: () => Promise<number>;
  #timer: Timer | undefined;
  /** The wait that somebody asked for, until the round that follows it. */
  #hurried: number | undefined;
  #isStopped = false;

  /** `round` never rejects, and resolves to the milliseconds until the next one. */
  constructor(clock: Pick<Clock, 'setTimer'>, round: () => Promise<number>) {
    this.#clock = clock;
    this.#round = round;
  }

  /** Waits `delay` milliseconds before the first round. */
  start(delay: number): void {
    this.#wait(delay);
  }

  /**
   * There is a round in `delay` milliseconds. Who asks again before it has begun changes nothing, so that somebody who
   * never stops asking does not put it off forever.
   */
  hurry(delay: number): void {
    if (this.#hurried !== undefined) return;
    this.#hurried = delay;
    if (this.#timer !== undefined) this.#wait(delay);
  }

  /** Idempotent. A round that runs is the last. */
  stop(): void {
    this.#isStopped = true;
    this.#timer?.cancel();
  }

  #wait(delay: number): void {
    this.#timer?.cancel();
    if (this.#isStopped) return;
    this.#timer = this.#clock.setTimer(this.#hurried ?? delay, () => void this.#run());
  }

  async #run(): Promise<void> {
    this.#timer = undefined;
    this.#hurried = undefined;
    this.#wait(await this.#round());
  }
}
