import { Epoll } from '../../src/linux/epoll.ts';
import type { Libc } from '../../src/linux/libc.ts';
import { loadLibc } from '../../src/linux/load-libc.ts';
import { MessageBatch } from '../../src/linux/message-batch.ts';

/** Milliseconds for which the sockets have the thread to themselves, until messages and timers get their turn. */
const slice = 10;

/** Whatever goes over a socket of the bench is shorter. */
const slotSize = 2_048;

/** The system calls of one process, the descriptors that it waits for, and the memory that its datagrams pass through. */
export class Wire {
  readonly libc: Libc;
  /** Received datagrams lie here until the next ones do. */
  readonly batch: MessageBatch;
  /** Datagrams that one received one is answered with, or that answer none. */
  readonly outgoing: MessageBatch;
  readonly #epoll: Epoll;
  /** What is called when there is something to receive, by descriptor. */
  readonly #handlers: ((() => void) | undefined)[] = [];

  /** Throws where the system calls cannot be had. */
  constructor() {
    const load = loadLibc();
    if (load.kind === 'unavailable') throw new Error(`the bench needs system calls: ${load.reason}`);
    this.libc = load.libc;
    this.batch = new MessageBatch(load.libc, { slotSize });
    this.outgoing = new MessageBatch(load.libc, { slotSize });
    this.#epoll = new Epoll(load.libc);
  }

  watch(fd: number, onReadable: () => void): void {
    this.#handlers[fd] = onReadable;
    this.#epoll.add(fd);
  }

  /** To be called before the descriptor is closed. */
  unwatch(fd: number): void {
    this.#handlers[fd] = undefined;
    this.#epoll.remove(fd);
  }

  /** Serves the sockets for as long as the process lives, and lets messages and timers have their turn. */
  start(): void {
    setImmediate(() => {
      this.serve();
      this.start();
    });
  }

  /** Serves the sockets for a while; with nothing to do, it sleeps. */
  serve(): void {
    const end = performance.now() + slice;
    for (let left = slice; left > 0; left = end - performance.now()) {
      const ready = this.#epoll.wait(Math.ceil(left));
      for (let index = 0; index < ready; index++) this.#handlers[this.#epoll.fd(index)]?.();
    }
  }
}
