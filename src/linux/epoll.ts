import { Arena } from './arena.ts';
import { EPOLL_CLOEXEC, EPOLL_CTL_ADD, EPOLL_CTL_DEL, EPOLL_CTL_MOD, EPOLLIN } from './constants.ts';
import { EPOLL_EVENT } from './layout.ts';
import type { Libc } from './libc.ts';
import { checkSlot } from './slots.ts';
import { close } from './sockets.ts';
import { checked } from './syscall-error.ts';

/** Waits for many descriptors at once (epoll(7), level-triggered). */
export class Epoll {
  readonly capacity: number;
  readonly #libc: Libc;
  /** The epoll instance's own. */
  readonly descriptor: number;
  readonly #layout: (typeof EPOLL_EVENT)['x64'];
  readonly #events: Arena;
  readonly #address: bigint;

  /** `capacity` is the number of events that one wait can tell. Throws SyscallError. */
  constructor(libc: Libc, capacity: number = 256) {
    this.capacity = capacity;
    this.#libc = libc;
    this.#layout = EPOLL_EVENT[libc.arch];
    this.#events = new Arena(libc, capacity * this.#layout.size);
    this.#address = this.#events.addressOf(0, capacity * this.#layout.size);
    this.descriptor = checked('epoll_create1', libc.epollCreate(EPOLL_CLOEXEC));
  }

  /** `interest` is made of EPOLLIN and EPOLLOUT. Throws SyscallError. */
  add(fd: number, interest: number = EPOLLIN): void {
    checked('epoll_ctl', this.#control(EPOLL_CTL_ADD, fd, interest));
  }

  /** Replaces the interest. Throws SyscallError. */
  modify(fd: number, interest: number): void {
    checked('epoll_ctl', this.#control(EPOLL_CTL_MOD, fd, interest));
  }

  /** To be called before the descriptor is closed, as a duplicate would keep it alive here. Throws SyscallError. */
  remove(fd: number): void {
    checked('epoll_ctl', this.#control(EPOLL_CTL_DEL, fd, 0));
  }

  /**
   * Waits for up to `timeout` milliseconds: 0 never waits, -1 waits for good. The number of events; or a negative
   * errno, -EINTR if a signal came.
   */
  wait(timeout: number): number {
    return this.#libc.epollWait(this.descriptor, this.#address, this.capacity, timeout);
  }

  /** The descriptor that has the event. Valid for the events that the last wait has told. */
  fd(index: number): number {
    return this.#events.view.getUint32(this.#at(index) + this.#layout.data, true);
  }

  /** EPOLLIN, EPOLLOUT, EPOLLERR and others, or-ed. */
  events(index: number): number {
    return this.#events.view.getUint32(this.#at(index) + this.#layout.events, true);
  }

  close(): void {
    close(this.#libc, this.descriptor);
  }

  #at(index: number): number {
    return checkSlot(index, this.capacity) * this.#layout.size;
  }

  #control(operation: number, fd: number, interest: number): number {
    const event = new Uint8Array(this.#layout.size);
    const view = new DataView(event.buffer);
    view.setUint32(this.#layout.events, interest, true);
    view.setUint32(this.#layout.data, fd, true);
    return this.#libc.epollControl(this.descriptor, operation, fd, event);
  }
}
