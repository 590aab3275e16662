/**
 * Connections that are done with: ended on our side, they wait for their peer's end, so that what was written last is
 * not thrown away by a reset. What comes meanwhile is read and dropped. Whoever waits too long, or is one too many, is
 * left to the system.
 */
import type { Clock } from '../net/net.ts';
import type { TcpHandlers, TcpSocket } from '../net/tcp.ts';
import { type TimerWheel, WheelEntry } from './timer-wheel.ts';

/** Milliseconds that a peer has for its end. */
const patience = 10_000;
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
    const departure = new Departure(socket, this.#clock.now() + patience, () => this.#remove(departure));
    this.#waiting.add(departure);
    this.#wheel.schedule(departure);
    const [oldest] = this.#waiting;
    if (this.#waiting.size > maxWaiting) oldest?.leave();
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

  #remove(departure: Departure): void {
    this.#waiting.delete(departure);
    this.#wheel.remove(departure);
    if (this.#waiting.size === 0) this.#onEmpty?.();
  }
}

class Departure extends WheelEntry implements TcpHandlers {
  override readonly deadline: number;
  readonly #socket: TcpSocket;
  readonly #onOver: () => void;

  constructor(socket: TcpSocket, deadline: number, onOver: () => void) {
    super();
    this.deadline = deadline;
    this.#socket = socket;
    this.#onOver = onOver;
    socket.handle(this);
    socket.resume();
    socket.end();
  }

  /** Waits no longer. */
  leave(): void {
    this.#socket.release();
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
