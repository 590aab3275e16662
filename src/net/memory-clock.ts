import { HappeningQueue, type Happening } from './memory-queue.ts';
import type { Clock, Timer } from './net.ts';

/** More than any simulation of sense takes: two computers that answer each other forever end here. */
const defaultMaxSteps = 20_000_000;

/** Promise jobs in a row that one step may set off in code that awaits. */
const promiseTurns = 48;

/** Time that passes only when it is told to, from one happening to the next. */
export class VirtualClock implements Clock {
  readonly #queue = new HappeningQueue();
  #now = 1_000_000;
  #timers = 0;

  now(): number {
    return this.#now;
  }

  /** Timers that are neither cancelled nor over. */
  get pendingTimers(): number {
    return this.#timers;
  }

  /** Lets the next thing happen. False if there is none. */
  step(): boolean {
    const next = this.#queue.earliest();
    if (next === undefined || next.at === Infinity) return false;
    this.#queue.remove(next);
    this.#now = Math.max(this.#now, next.at);
    next.run();
    return true;
  }

  /** Lets everything happen that is due within `milliseconds`; the clock ends there. */
  advance(milliseconds: number, maxSteps: number = defaultMaxSteps): void {
    const end = this.#now + milliseconds;
    this.#run(() => (this.#queue.earliest()?.at ?? Infinity) > end, maxSteps);
    this.#now = end;
  }

  /** Lets things happen until `done` says so; false if it never did and nothing is left to happen. */
  runUntil(done: () => boolean, maxSteps: number = defaultMaxSteps): boolean {
    this.#run(done, maxSteps);
    return done();
  }

  /** Lets everything happen. What never ends, as a timer that sets itself again, throws RangeError after `maxSteps`. */
  runUntilIdle(maxSteps: number = defaultMaxSteps): void {
    this.#run(() => false, maxSteps);
  }

  /** Lets things happen until `work` is settled, with turns for the code that awaits in between. */
  async play<T>(work: Promise<T>, maxSteps: number = defaultMaxSteps): Promise<T> {
    const state = { settled: false };
    const settle = (): void => {
      state.settled = true;
    };
    work.then(settle, settle);
    await givePromisesTurns();
    for (let steps = 0; !state.settled; steps++) {
      if (steps >= maxSteps) throw new RangeError(`the work is not done after ${maxSteps} steps`);
      if (!this.step()) throw new RangeError('nothing is left to happen, and the work is not done');
      await givePromisesTurns();
    }
    return work;
  }

  setTimer(delay: number, callback: () => void): Timer {
    const timer = this.plan(this.#now + (delay > 0 ? delay : 0), () => {
      this.#timers--;
      callback();
    });
    this.#timers++;
    return {
      cancel: () => {
        if (this.#queue.remove(timer)) this.#timers--;
      },
    };
  }

  /** Lets `run` happen at `at`, after what was planned for that moment before. No timer: nobody waits for it. */
  plan(at: number, run: () => void): Happening {
    return this.#queue.plan(at, run);
  }

  #run(done: () => boolean, maxSteps: number): void {
    for (let steps = 0; !done() && this.step(); steps++) {
      if (steps >= maxSteps) throw new RangeError(`things still happen after ${maxSteps} steps`);
    }
  }
}

async function givePromisesTurns(): Promise<void> {
  const over = Promise.resolve();
  for (let turn = 0; turn < promiseTurns; turn++) await over;
}
