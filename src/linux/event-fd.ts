import { EAGAIN, EFD_CLOEXEC, EFD_NONBLOCK } from './constants.ts';
import type { Libc } from './libc.ts';
import { close } from './sockets.ts';
import { checked } from './syscall-error.ts';

/** Wakes a thread that waits in epoll_wait, from any thread (eventfd(2)). */
export class EventFd {
  /** For an Epoll, or to be given to another thread of this process. */
  readonly fd: number;
  readonly #libc: Libc;
  readonly #one: Uint8Array = new Uint8Array(new BigUint64Array([1n]).buffer);
  readonly #counter: Uint8Array = new Uint8Array(8);

  /** For a descriptor that another thread has opened. Whoever opened it closes it. */
  constructor(libc: Libc, fd: number) {
    this.#libc = libc;
    this.fd = fd;
  }

  /** Throws SyscallError. */
  static open(libc: Libc): EventFd {
    return new EventFd(libc, checked('eventfd', libc.eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)));
  }

  /** The descriptor is readable until `reset`. Throws SyscallError. */
  wake(): void {
    const result = this.#libc.write(this.fd, this.#one);
    // The counter is at its end, so the descriptor is readable already.
    if (result !== -EAGAIN) checked('write', result);
  }

  /** True if it was woken since the last time. Throws SyscallError. */
  reset(): boolean {
    const result = this.#libc.read(this.fd, this.#counter);
    if (result === -EAGAIN) return false;
    checked('read', result);
    return true;
  }

  close(): void {
    close(this.#libc, this.fd);
  }
}
