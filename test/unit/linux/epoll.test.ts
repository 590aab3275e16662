import { Worker } from 'node:worker_threads';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { EPOLLIN, EPOLLOUT } from '../../../src/linux/constants.ts';
import { Epoll } from '../../../src/linux/epoll.ts';
import { EventFd } from '../../../src/linux/event-fd.ts';
import { SyscallError } from '../../../src/linux/syscall-error.ts';
import { isElsewhere, SocketLab } from './kernel.ts';

const EBADF = 9;
const linux = new URL('../../../src/linux/', import.meta.url);

/** A thread that wakes the descriptor which it is given, and then has ended. */
const waking = `
  import { workerData } from 'node:worker_threads';
  const { loadLibc } = await import(new URL('load-libc.ts', workerData.linux));
  const { EventFd } = await import(new URL('event-fd.ts', workerData.linux));
  new EventFd(loadLibc().libc, workerData.fd).wake();
`;

describe.skipIf(isElsewhere)('waiting', () => {
  const lab = new SocketLab();
  let epoll: Epoll;
  let wakeup: EventFd;

  beforeEach(() => {
    epoll = new Epoll(lab.libc, 4);
    wakeup = EventFd.open(lab.libc);
  });

  afterEach(() => {
    epoll.close();
    wakeup.close();
    lab.close();
  });

  it('tells which descriptors are ready, and for what', () => {
    const [sender, receiver] = [lab.bound(4), lab.bound(4)];
    epoll.add(receiver.fd);
    epoll.add(sender.fd, EPOLLIN | EPOLLOUT);
    lab.batchOf(['a'], receiver.at).send(sender.fd, 0, 1);
    expect(epoll.wait(1000)).toBe(2);
    const told = [0, 1].map((index) => [epoll.fd(index), epoll.events(index)]);
    expect(told).toContainEqual([receiver.fd, EPOLLIN]);
    expect(told).toContainEqual([sender.fd, EPOLLOUT]);
  });

  it('tells no more events at once than it has room for, and those then', () => {
    const receivers = Array.from({ length: 6 }, () => lab.bound(4));
    const sender = lab.bound(4);
    for (const { fd, at } of receivers) {
      epoll.add(fd);
      lab.batchOf(['a'], at).send(sender.fd, 0, 1);
    }
    const told = new Set<number>();
    while (told.size < 6) {
      expect(epoll.wait(1000)).toBeLessThanOrEqual(4);
      const fd = epoll.fd(0);
      told.add(fd);
      lab.received(fd);
    }
    expect(told).toEqual(new Set(receivers.map(({ fd }) => fd)));
    expect(epoll.wait(0)).toBe(0);
  });

  it('goes by the interest that was given last, and forgets what was removed', () => {
    const { fd } = lab.bound(4);
    epoll.add(fd, EPOLLIN);
    expect(epoll.wait(0)).toBe(0);
    epoll.modify(fd, EPOLLOUT);
    expect(epoll.wait(0)).toBe(1);
    epoll.remove(fd);
    expect(epoll.wait(0)).toBe(0);
  });

  it('refuses what cannot be waited for', () => {
    const { fd } = lab.bound(4);
    epoll.add(fd);
    expect(() => epoll.add(fd)).toThrow(/^epoll_ctl: EEXIST/u);
    expect(() => epoll.modify(-1, EPOLLIN)).toThrow(SyscallError);
    expect(() => epoll.remove(lab.open(4))).toThrow(/^epoll_ctl: ENOENT/u);
  });

  it.each([-1, 4, 0.5])('has no event %d', (index) => {
    expect(() => epoll.fd(index)).toThrow(RangeError);
    expect(() => epoll.events(index)).toThrow(RangeError);
  });

  it('returns what went wrong as a negative errno', () => {
    const other = new Epoll(lab.libc, 1);
    other.close();
    expect(other.wait(0)).toBe(-EBADF);
    expect(() => other.close()).toThrow(/^close: EBADF/u);
  });

  it('ends when somebody wakes it, once for any number of times', () => {
    epoll.add(wakeup.fd);
    expect(wakeup.reset()).toBe(false);
    wakeup.wake();
    wakeup.wake();
    expect(epoll.wait(0)).toBe(1);
    expect(wakeup.reset()).toBe(true);
    expect(wakeup.reset()).toBe(false);
    expect(epoll.wait(0)).toBe(0);
  });

  it('can be woken even where the counter is full', () => {
    const most = new Uint8Array(new BigUint64Array([2n ** 64n - 2n]).buffer);
    lab.libc.write(wakeup.fd, most);
    wakeup.wake();
    expect(wakeup.reset()).toBe(true);
  });

  it('cannot be woken by what is closed', () => {
    const other = EventFd.open(lab.libc);
    other.close();
    expect(() => other.wake()).toThrow(/^write: EBADF/u);
    expect(() => other.reset()).toThrow(/^read: EBADF/u);
  });

  it('ends when another thread wakes it', async () => {
    epoll.add(wakeup.fd);
    const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(waking)}`), {
      workerData: { linux: linux.href, fd: wakeup.fd },
    });
    const ended = new Promise((resolve, reject) => worker.once('exit', resolve).once('error', reject));
    expect(epoll.wait(0)).toBe(0);
    while (epoll.wait(0) === 0) await new Promise(setImmediate);
    expect(wakeup.reset()).toBe(true);
    expect(await ended).toBe(0);
  });
});
