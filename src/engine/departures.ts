/**
 * Connections that are done with. Some are ended on our side and wait for their peer's end, so that what was written
 * last is not thrown away by a reset; what comes meanwhile is read and dropped. Whoever waits too long, or is one too
 * many, is left to the system. Others are to be reset, a moment later.
 */
import type { Clock } from '../net/net.ts';
import type { TcpHandlers, TcpSocket } from '../net/tcp.ts';
import { type TimerWheel, WheelEntry } from './timer-wheel.ts';

/** Milliseconds that a peer has for its end. */
const patience = 10_000;
/** Milliseconds until a reset: what another connection has to say about it is there by then. */
const delay = 250;
/** Each costs a descriptor. */
const maxWaiting = 1_024;

export class Departures {
  readonly #clock: Clock;
  readonly #wheel: TimerWheel;
  /** The oldest first. */
  readonly #waiting = new Set<Departure>();
  #onEmpty: (() => void) | undefined;

  constructor(clock: Clock, wheel: TimerWheel) {
    this.#clock = clock;
    this.#wheel = wheel;
  }

  get size(): number {
    return this.#waiting.size;
  }

  /** Ends the connection, which has not been closed, and takes it over. */
  add(socket: TcpSocket): void {
    this.#wait(socket, patience, () => socket.release());
    socket.resume();
    socket.end();
  }

  /** Takes the connection over, which has not been closed, and resets it in a moment. It is never ended. */
  breakLater(socket: TcpSocket): void {
    this.#wait(socket, delay, () => socket.reset());
    socket.pause();
  }

  /** Resolves when none is left; after so many milliseconds those that are left are not waited for. */
  async settle(milliseconds: number): Promise<void> {
    if (this.#waiting.size === 0) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#onEmpty = resolve;
    const timer = this.#clock.setTimer(milliseconds, () => {
      for (const departure of this.#waiting) departure.leave();
    });
    await promise;
    timer.cancel();
  }

  #wait(socket: TcpSocket, milliseconds: number, leave: () => void): void {
    const departure = new Departure(this.#clock.now() + milliseconds, leave, () => this.#remove(departure));
    socket.handle(departure);
    this.#waiting.add(departure);
    this.#wheel.schedule(departure);
    const [oldest] = this.#waiting;
    if (this.#waiting.size > maxWaiting) oldest?.leave();
  }

  #remove(departure: Departure): void {
    this.#waiting.delete(departure);
    this.#wheel.remove(departure);
    if (this.#waiting.size === 0) this.#onEmpty?.();
  }
}

class Departure extends WheelEntry implements TcpHandlers {
  override readonly deadline: number;
  readonly #leave: () => void;
  readonly #onOver: () => void;

  constructor(deadline: number, leave: () => void, onOver: () => void) {
    super();
    this.deadline = deadline;
    this.#leave = leave;
    this.#onOver = onOver;
  }

  /** Waits no longer. */
  leave(): void {
    this.#leave();
    this.#onOver();
  }

  override onDeadline(): void {
    this.leave();
  }

  onClose(): void {
    this.#onOver();
  }

  onData(): void {}

  onEnd(): void {}

  onDrain(): void {}
}
