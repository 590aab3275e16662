import { describe, expect, it } from 'vitest';
import { AF_INET, AF_INET6, EPOLL_CTL_ADD } from '../../../src/linux/constants.ts';
import { EPOLL_EVENT } from '../../../src/linux/layout.ts';
import { isElsewhere, libcHere } from './kernel.ts';

const AF_UNIX = 1;
const EBADF = 9;

describe.skipIf(isElsewhere)('calls of the C library', () => {
  it('refuse too few bytes before the call', () => {
    const libc = libcHere();
    const calls = [
      () => libc.inetPton(AF_INET, '127.0.0.1', new Uint8Array(3)),
      () => libc.inetPton(AF_INET6, '::1', new Uint8Array(15)),
      () => libc.inetPton(AF_UNIX, '::1', new Uint8Array(100)),
      () => libc.inetNtop(AF_INET, new Uint8Array(3)),
      () => libc.inetNtop(AF_INET6, new Uint8Array(15)),
      () => libc.epollControl(-1, EPOLL_CTL_ADD, -1, new Uint8Array(EPOLL_EVENT[libc.arch].size - 1)),
    ];
    for (const call of calls) expect(call).toThrow(RangeError);
  });

  it('write no further than there is room', () => {
    const libc = libcHere();
    const fd = libc.socket(AF_INET6, 2, 0);
    try {
      const name = new Uint8Array(8).fill(0xff);
      expect(libc.getsockname(fd, name.subarray(0, 4))).toBe(28);
      expect([...name.subarray(4)]).toEqual([0xff, 0xff, 0xff, 0xff]);
      const value = new Uint8Array(8).fill(0xff);
      libc.getsockopt(fd, 1, 3, value.subarray(0, 2));
      expect([...value.subarray(2)]).toEqual([0xff, 0xff, 0xff, 0xff, 0xff, 0xff]);
    } finally {
      libc.close(fd);
    }
  });

  it('return what went wrong as a negative errno, and throw nothing', () => {
    const libc = libcHere();
    expect(libc.close(-1)).toBe(-EBADF);
    expect(libc.getsockname(-1, new Uint8Array(16))).toBe(-EBADF);
    expect(libc.read(-1, new Uint8Array(1))).toBe(-EBADF);
    expect(libc.inetPton(AF_INET, 'localhost', new Uint8Array(4))).toBe(false);
    expect(libc.ifNametoindex('no such interface')).toBe(0);
    expect(libc.ifIndextoname(0)).toBe('');
  });
});
