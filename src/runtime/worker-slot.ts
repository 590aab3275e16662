/**
 * One place among the workers, and the threads that have it one after the other.
 *
 *   starting -- started --> serving -- drain --> draining -- stop --> stopped
 *      ^                       |                     |
 *      |                      dies                  dies --> stopped
 *      +---- waiting <---------+
 *
 * A thread that dies before it has ever served is not started again: whoever started it is told why.
 */
import type { Clock, Timer } from '../net/net.ts';
import type { Event } from '../observe/events.ts';
import type { WorkerState, WorkerStatus } from './data-plane.ts';
import {
  errorOf,
  type HandoverAnswer,
  type HandoverCommand,
  type Instruction,
  type WorkerCommand,
  type WorkerMessage,
} from './messages.ts';
import { Receipts } from './receipts.ts';
import { RestartDelay } from './restart-delay.ts';
import type { WorkerHandle, WorkerHandlers, WorkerKind } from './worker-handle.ts';

/** Milliseconds that a worker has to stop by itself, and then to be gone. */
const stopTime = 5_000;
const endTime = 5_000;

export interface WorkerSlotParts {
  readonly index: number;
  readonly kind: WorkerKind;
  readonly clock: Clock;
  /** `receipts` is memory of the Receipts for the thread's events. */
  readonly spawn: (receipts: SharedArrayBuffer, handlers: WorkerHandlers) => WorkerHandle;
  /** Starts the slot's new thread with what it needs to know now. */
  readonly start: (slot: WorkerSlot) => Promise<void>;
  readonly onEvents: (events: readonly Event[]) => void;
  readonly onUp: (slot: WorkerSlot) => void;
  /** Its thread has died, with all that it had. `retry` is the time until the next start; undefined if none follows. */
  readonly onDown: (slot: WorkerSlot, error: Error, retry: number | undefined) => void;
}

type Deferred = PromiseWithResolvers<void>;

/** What a worker is to do; whether for the first time, the slot knows. */
export type Orders = Omit<Instruction, 'kind'>;

export class WorkerSlot {
  readonly index: number;
  readonly #parts: WorkerSlotParts;
  readonly #delay = new RestartDelay();
  #state: WorkerState = 'starting';
  #handle: WorkerHandle | undefined;
  #hasServed = false;
  #isStopping = false;
  #restarts = 0;
  #launchedAt = 0;
  #timer: Timer | undefined;
  /** What the thread said it cannot start for, and what it has died of. */
  #failure: Error | undefined;
  #death: Error | undefined;
  /** Who waits for the thread's next step, for its drain, for its end. */
  #step: Deferred | undefined;
  #drained: Deferred | undefined;
  #ended: Deferred | undefined;
  /** Who waits until a snapshot is in force, by its version. */
  readonly #updates = new Map<number, Deferred>();
  /** Who waits for the answer to a step of a takeover. */
  #handover: PromiseWithResolvers<HandoverAnswer> | undefined;

  constructor(parts: WorkerSlotParts) {
    this.#parts = parts;
    this.index = parts.index;
  }

  get status(): WorkerStatus {
    const { index, kind } = this.#parts;
    return { index, kind, state: this.#state, restarts: this.#restarts };
  }

  /** Makes a thread. Resolves when it waits to be started. Rejects with what it died of. */
  launch(): Promise<void> {
    this.#state = 'starting';
    this.#launchedAt = this.#parts.clock.now();
    this.#failure = undefined;
    this.#death = undefined;
    this.#step = Promise.withResolvers();
    const memory = Receipts.allocate();
    const receipts = new Receipts(memory);
    this.#handle = this.#parts.spawn(memory, {
      onMessage: (message) => this.#onMessage(message, receipts),
      onExit: (error) => this.#onExit(error),
    });
    return this.#step.promise;
  }

  /** Resolves when clients are served. Rejects with NetError, or with what the thread died of. */
  async start(orders: Orders): Promise<void> {
    if (this.#death) throw this.#death;
    this.#step = Promise.withResolvers();
    this.#post({ kind: 'start', ...orders });
    await this.#step.promise;
  }

  /** Resolves when the orders are obeyed, because the thread is gone at the latest. */
  async update(orders: Orders): Promise<void> {
    if (this.#handle === undefined) return;
    const { version } = orders.snapshot;
    const update = Promise.withResolvers<void>();
    this.#updates.set(version, update);
    this.#post({ kind: 'update', ...orders });
    await update.promise;
  }

  /** Resolves when the worker takes no new sessions, because it is gone at the latest. */
  drain(): Promise<void> {
    if (this.#handle === undefined) return this.#retire();
    this.#state = 'draining';
    this.#drained = Promise.withResolvers();
    this.#post({ kind: 'drain' });
    return this.#drained.promise;
  }

  /** A step of a takeover. Rejects with what the thread died of, or with what keeps it from obeying. */
  async ask(command: HandoverCommand): Promise<HandoverAnswer> {
    const isTooLate = command.kind === 'freeze' && this.#state !== 'serving';
    if (this.#handle === undefined || isTooLate) throw new Error(`worker ${this.index} is ${this.#state}`);
    return this.#askFor(command);
  }

  /** Another process serves in its place. Resolves when it has let go, because it is gone at the latest. */
  async leave(): Promise<void> {
    if (this.#handle === undefined) return this.#retire();
    // It is not started again.
    this.#state = 'draining';
    try {
      await this.#askFor({ kind: 'leave' });
    } catch {
      // Then it has nothing any longer.
    }
  }

  /** Resolves when its thread has ended, by itself or by force. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    if (this.#handle === undefined) return this.#retire();
    this.#ended = Promise.withResolvers();
    this.#post({ kind: 'stop' });
    this.#timer = this.#parts.clock.setTimer(stopTime, () => this.#force());
    await this.#ended.promise;
    this.#timer.cancel();
  }

  #force(): void {
    this.#handle?.terminate();
    // A thread that is blocked by the system cannot be ended: it goes with the process.
    this.#timer = this.#parts.clock.setTimer(endTime, () => this.#ended?.resolve());
  }

  async #askFor(command: WorkerCommand): Promise<HandoverAnswer> {
    this.#handover = Promise.withResolvers();
    this.#post(command);
    const answer = await this.#handover.promise;
    if (answer.kind === 'immovable') throw new Error(answer.reason);
    return answer;
  }

  async #retire(): Promise<void> {
    this.#timer?.cancel();
    this.#state = 'stopped';
  }

  #post(command: WorkerCommand): void {
    this.#handle?.post(command);
    this.#handle?.wake();
  }

  #onMessage(message: WorkerMessage, receipts: Receipts): void {
    switch (message.kind) {
      case 'ready':
        return this.#step?.resolve();
      case 'started':
        return this.#onStarted();
      case 'failed':
        this.#failure = errorOf(message.failure);
        return;
      case 'updated':
        return this.#onUpdated(message.version);
      case 'draining':
        return this.#drained?.resolve();
      case 'frozen':
      case 'thawed':
      case 'restored':
      case 'left':
      case 'immovable':
        return this.#handover?.resolve(message);
      case 'events':
        this.#parts.onEvents(message.events);
        receipts.take(message.events.length);
    }
  }

  #onStarted(): void {
    if (this.#state === 'starting') this.#state = 'serving';
    this.#hasServed = true;
    this.#parts.onUp(this);
    this.#step?.resolve();
  }

  /** A later snapshot replaces all before it. */
  #onUpdated(version: number): void {
    for (const [waiting, { resolve }] of this.#updates) {
      if (waiting > version) continue;
      this.#updates.delete(waiting);
      resolve();
    }
  }

  #onExit(error: Error | undefined): void {
    this.#handle = undefined;
    this.#onUpdated(Infinity);
    const death = this.#failure ?? error ?? new Error('the thread has ended by itself');
    this.#death = death;
    if (!this.#hasServed || (this.#isStopping && error === undefined)) this.#state = 'stopped';
    else this.#onDeath(death);
    this.#step?.reject(death);
    this.#handover?.reject(death);
    this.#drained?.resolve();
    this.#ended?.resolve();
  }

  #onDeath(death: Error): void {
    const isFinal = this.#isStopping || this.#state === 'draining';
    this.#state = isFinal ? 'stopped' : 'waiting';
    const { clock, onDown } = this.#parts;
    const retry = isFinal ? undefined : this.#delay.next(clock.now() - this.#launchedAt);
    onDown(this, death, retry);
    if (retry !== undefined) this.#timer = clock.setTimer(retry, () => void this.#restart());
  }

  async #restart(): Promise<void> {
    this.#restarts += 1;
    const isReady = await isAlive(this.launch());
    // A drain may have come meanwhile.
    if (isReady && this.#state === 'starting') await isAlive(this.#parts.start(this));
  }
}

/** Whether a thread has come through a step of its start. If not, its death was told and the next start is planned. */
async function isAlive(step: Promise<void>): Promise<boolean> {
  try {
    await step;
    return true;
  } catch {
    return false;
  }
}
