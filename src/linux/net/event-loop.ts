/**
 * The loop of a thread that serves datagrams: waits in epoll_wait, lets the sockets receive what has come into one
 * batch, and sends what their handlers relay.
 *
 * Now and then, and whenever another thread wakes it, it lets Node's own loop have a turn, which delivers messages.
 * Between those turns nothing that is asynchronous happens in this thread.
 */
import type { Clock, Timer } from '../../net/net.ts';
import { createLedgerMemory, DescriptorLedger } from '../descriptor-ledger.ts';
import { Epoll } from '../epoll.ts';
import type { Libc } from '../libc.ts';
import { MessageBatch } from '../message-batch.ts';
import { Outbox } from './outbox.ts';
import { SlotViews } from './slot-views.ts';
import { Spin } from './spin.ts';
import { TimerList } from './timer-list.ts';

export interface LoopOptions {
  /** Microseconds for which the loop polls before it blocks, while that finds something; 0 = never. */
  readonly busyPoll: number;
  /** Milliseconds that the loop may block, and with it everything else in this thread. */
  readonly maxWait: number;
  /** Milliseconds after which Node's own loop gets a turn. */
  readonly maxHold: number;
}

/** What is told when its descriptor is ready. */
export interface Watched {
  readonly fd: number;
  /** `events` as those of epoll_wait. */
  onReady(events: number): void;
}

/** Gets what a socket received. */
export interface Receiver {
  readonly fd: number;
  /** The datagram lies in `slot` of the loop's batch, and `data` is a view of it. */
  onDatagram(slot: number, data: Uint8Array): void;
}

export class EventLoop implements Clock {
  readonly batch: MessageBatch;
  readonly outbox: Outbox;
  readonly #epoll: Epoll;
  readonly #ledger: DescriptorLedger;
  readonly #options: LoopOptions;
  readonly #views: SlotViews;
  readonly #spin: Spin;
  readonly #timers = new TimerList();
  readonly #watched: (Watched | undefined)[] = [];
  /** Slots that the present round has filled. */
  #filled = 0;
  /** The slot whose datagram is being handled. */
  #current = -1;
  #currentData: Uint8Array | undefined;
  #now = performance.now();
  #isRunning = false;
  /** Within `#hold`. */
  #isHeld = false;
  #mustYield = false;
  #nextHold: NodeJS.Immediate | undefined;
  readonly #postponed: (() => void)[] = [];

  /** `ledger` is where its descriptor is noted. Throws SyscallError. */
  constructor(
    libc: Libc,
    options: LoopOptions,
    ledger: DescriptorLedger = new DescriptorLedger(createLedgerMemory()),
  ) {
    this.#ledger = ledger;
    this.batch = new MessageBatch(libc);
    this.outbox = new Outbox(this.batch, (callback) => this.later(callback));
    this.#epoll = new Epoll(libc);
    ledger.note(this.#epoll.descriptor);
    this.#options = options;
    this.#views = new SlotViews(this.batch);
    this.#spin = new Spin(options.busyPoll);
  }

  /**
   * Whole milliseconds, as of the present round: reading the clock for each datagram would cost more than some do, and
   * a session that keeps fractions needs memory for each of them.
   */
  now(): number {
    return Math.floor(this.#isHeld ? this.#now : performance.now());
  }

  setTimer(delay: number, callback: () => void): Timer {
    return this.#timers.add(this.now() + (delay > 0 ? Math.ceil(delay) : 0), callback);
  }

  /**
   * Calls back when the present round has done all else, or in the next round. For what a call finds out that must not
   * surprise whoever made it: the failure of a datagram, while its sender is still at work.
   */
  later(callback: () => void): void {
    this.#postponed.push(callback);
  }

  /** Throws SyscallError. */
  watch(watched: Watched): void {
    this.#epoll.add(watched.fd);
    this.#watched[watched.fd] = watched;
  }

  /** To be called before the descriptor is closed. */
  unwatch({ fd }: Watched): void {
    this.outbox.flush();
    this.#epoll.remove(fd);
    this.#watched[fd] = undefined;
  }

  /** Receives once what has come to a socket, as far as the batch has room. The number of datagrams, or a negative errno. */
  receive(receiver: Receiver): number {
    if (this.#filled === this.batch.slots) {
      this.outbox.flush();
      this.#filled = 0;
    }
    const first = this.#filled;
    const count = this.batch.receive(receiver.fd, first);
    if (count > 0) this.#filled = first + count;
    try {
      for (let slot = first; slot < first + count; slot++) {
        this.#current = slot;
        this.#currentData = this.#views.of(slot);
        receiver.onDatagram(slot, this.#currentData);
      }
      return count;
    } finally {
      this.#current = -1;
      this.#currentData = undefined;
    }
  }

  /** The slot where `data` lies, if it is the datagram that is being handled, else -1. */
  slotOf(data: Uint8Array): number {
    return data === this.#currentData ? this.#current : -1;
  }

  /** Node's own loop gets its turn after the present round. */
  yield(): void {
    this.#mustYield = true;
  }

  /** Serves until `stop`, from the next turn of Node's loop on. What a handler throws is an uncaught exception. */
  start(): void {
    if (this.#isRunning) return;
    this.#isRunning = true;
    this.#scheduleHold();
  }

  stop(): void {
    this.#isRunning = false;
    this.#mustYield = true;
    clearImmediate(this.#nextHold);
  }

  /** Gives everything back. Nothing may be watched any longer. */
  close(): void {
    this.stop();
    this.#ledger.forget(this.#epoll.descriptor);
    this.#epoll.close();
  }

  #scheduleHold(): void {
    clearImmediate(this.#nextHold);
    this.#nextHold = setImmediate(() => this.#hold());
  }

  #hold(): void {
    this.#now = performance.now();
    const end = this.#now + this.#options.maxHold;
    this.#mustYield = false;
    this.#isHeld = true;
    try {
      while (this.#isRunning && !this.#mustYield) {
        this.#round();
        if (this.#now >= end) break;
      }
    } finally {
      this.#isHeld = false;
      if (this.#isRunning) this.#scheduleHold();
    }
  }

  #round(): void {
    const ready = this.#wait();
    this.#filled = 0;
    try {
      for (let index = 0; index < ready; index++) {
        this.#watched[this.#epoll.fd(index)]?.onReady(this.#epoll.events(index));
      }
      this.#timers.run(this.now());
    } finally {
      // The next round fills the slots anew.
      this.outbox.flush();
    }
    for (let count = this.#postponed.length; count > 0; count--) this.#postponed.shift()?.();
  }

  /** The number of descriptors that are ready, maybe 0. */
  #wait(): number {
    let ready = 0;
    if (this.#spin.isWorthwhile && this.#postponed.length === 0) {
      const end = Math.min(this.#now + this.#spin.time, this.#now + this.#patience());
      do {
        ready = this.#epoll.wait(0);
        this.#now = performance.now();
      } while (ready === 0 && this.#now < end);
      this.#spin.spun(ready > 0);
    }
    if (ready > 0) return ready;
    const from = this.#now;
    ready = this.#epoll.wait(Math.ceil(this.#patience()));
    this.#now = performance.now();
    if (ready > 0) this.#spin.blocked(this.#now - from);
    return ready;
  }

  /** Milliseconds for which nothing need happen. */
  #patience(): number {
    if (this.#postponed.length > 0) return 0;
    return Math.min(this.#options.maxWait, this.#timers.untilNext(this.#now));
  }
}
