/**
 * Backends that have just come back count for a part of their weight, which grows in equal steps to the whole:
 *
 *   cold -- begin --> 1/8 -- 2/8 -- ... -- 7/8 --> warm        seven steps of equal length
 *
 * so that a server with empty caches is not given its whole share at once.
 */
import { warmUpSteps } from '../balance/warming-weights.ts';
import type { Clock, Timer } from '../net/net.ts';

export interface SlowStartOptions {
  /** Milliseconds from the first step to the whole weight; 0 turns slow starts off. */
  readonly duration: number;
  /** The step of some backend is another one now. */
  readonly onStep: () => void;
}

interface WarmUp {
  step: number;
  timer: Timer;
}

export class SlowStart {
  readonly #clock: Clock;
  #options: SlowStartOptions;
  /** Of those that are not warm, by scoreboard index. */
  readonly #warming = new Map<number, WarmUp>();

  constructor(clock: Clock, options: SlowStartOptions) {
    this.#clock = clock;
    this.#options = options;
  }

  /** From the next step on; 0 makes all of them warm at once. */
  configure(duration: number): void {
    this.#options = { ...this.#options, duration };
    if (duration > 0 || this.#warming.size === 0) return;
    this.stop();
    this.#options.onStep();
  }

  /** How many eighths of its weight a backend counts. */
  stepOf(index: number): number {
    return this.#warming.get(index)?.step ?? warmUpSteps;
  }

  /** From the first step on, also for one that is on its way. */
  begin(index: number): void {
    if (this.#options.duration === 0) return;
    this.#warming.get(index)?.timer.cancel();
    this.#warming.set(index, { step: 1, timer: this.#later(index) });
    this.#options.onStep();
  }

  /** It is out of service, or has left: it counts in full, where it counts at all. */
  end(index: number): void {
    const warmUp = this.#warming.get(index);
    if (!warmUp) return;
    warmUp.timer.cancel();
    this.#warming.delete(index);
    this.#options.onStep();
  }

  /** Ends all timers. */
  stop(): void {
    for (const { timer } of this.#warming.values()) timer.cancel();
    this.#warming.clear();
  }

  #later(index: number): Timer {
    return this.#clock.setTimer(this.#options.duration / (warmUpSteps - 1), () => this.#advance(index));
  }

  #advance(index: number): void {
    const warmUp = this.#warming.get(index);
    if (!warmUp) return;
    warmUp.step += 1;
    if (warmUp.step === warmUpSteps) this.#warming.delete(index);
    else warmUp.timer = this.#later(index);
    this.#options.onStep();
  }
}
