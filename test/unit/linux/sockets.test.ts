import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import { EAGAIN, SOCK_CLOEXEC, SOCK_NONBLOCK } from '../../../src/linux/constants.ts';
import { MessageBatch } from '../../../src/linux/message-batch.ts';
import { getOption, MTU_DISCOVER, setOption, type SocketOption } from '../../../src/linux/socket-options.ts';
import { bind, boundTo, close, connect, duplicate } from '../../../src/linux/sockets.ts';
import { SyscallError } from '../../../src/linux/syscall-error.ts';
import { ownLoopback } from '../../helpers/sockets.ts';
import { families, isElsewhere, loopback, SocketLab, textOf } from './kernel.ts';

const ECONNREFUSED = 111;

function errorOf(call: () => void): unknown {
  try {
    call();
    return undefined;
  } catch (error) {
    return error;
  }
}

/** Those with which a descriptor was opened. */
function flagsOf(fd: number): number {
  const [, flags = ''] = /^flags:\s*(\d+)$/mu.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8')) ?? [];
  return Number.parseInt(flags, 8);
}

describe.skipIf(isElsewhere)('sockets', () => {
  const lab = new SocketLab();
  afterEach(() => lab.close());

  it.each(families)('are bound to the address that they are given over IPv%i', (family) => {
    const { at } = lab.bound(family);
    expect(at.address).toBe(loopback[family]);
    expect(at.port).toBeGreaterThan(0);
    const error = errorOf(() => bind(lab.libc, lab.open(family), at));
    expect(error).toBeInstanceOf(SyscallError);
    expect(error).toMatchObject({
      code: 'TLB_ERR_SYSCALL',
      syscall: 'bind',
      errno: 98,
      errnoName: 'EADDRINUSE',
    });
    expect(error).toHaveProperty('message', 'bind: EADDRINUSE, address already in use');
  });

  it('are told by name what the kernel refuses', () => {
    const fd = lab.open(4);
    expect(() => bind(lab.libc, fd, { address: '192.0.2.1', port: 0 })).toThrow(/^bind: EADDRNOTAVAIL/u);
    expect(() => bind(lab.libc, fd, { address: '::1', port: 0 })).toThrow(/^bind: EAFNOSUPPORT/u);
    expect(() => connect(lab.libc, -1, { address: '127.0.0.1', port: 1 })).toThrow(/^connect: EBADF/u);
    expect(() => boundTo(lab.libc, -1)).toThrow(/^getsockname: EBADF/u);
    expect(() => duplicate(lab.libc, -1)).toThrow(/^fcntl: EBADF/u);
    expect(() => close(lab.libc, -1)).toThrow(/^close: EBADF/u);
  });

  it('never block, and are nobody’s but this process’s', () => {
    const { fd } = lab.bound(4);
    const twin = duplicate(lab.libc, fd);
    try {
      expect(flagsOf(fd) & (SOCK_NONBLOCK | SOCK_CLOEXEC)).toBe(SOCK_NONBLOCK | SOCK_CLOEXEC);
      expect(flagsOf(twin) & SOCK_CLOEXEC).toBe(SOCK_CLOEXEC);
    } finally {
      close(lab.libc, twin);
    }
  });

  it('hear only the peer that they are connected to', () => {
    const [listener, peer, stranger] = [lab.bound(4), lab.bound(4), lab.bound(4)];
    connect(lab.libc, listener.fd, peer.at);
    lab.batchOf(['stranger'], listener.at).send(stranger.fd, 0, 1);
    lab.batchOf(['peer'], listener.at).send(peer.fd, 0, 1);
    const { batch, count } = lab.received(listener.fd);
    expect(count).toBe(1);
    expect(textOf(batch, 0)).toBe('peer');
  });

  it('stay open until the last of their descriptors is closed', () => {
    const [sender, receiver] = [lab.bound(4), lab.bound(4)];
    const twin = duplicate(lab.libc, receiver.fd);
    expect(twin).not.toBe(receiver.fd);
    expect(boundTo(lab.libc, twin)).toEqual(receiver.at);
    lab.batchOf(['for both'], receiver.at).send(sender.fd, 0, 1);
    expect(textOf(lab.received(twin).batch, 0)).toBe('for both');
    close(lab.libc, twin);
    lab.batchOf(['for one'], receiver.at).send(sender.fd, 0, 1);
    expect(textOf(lab.received(receiver.fd).batch, 0)).toBe('for one');
    expect(() => boundTo(lab.libc, twin)).toThrow(/EBADF/u);
  });

  it('are given back by closing', () => {
    const { fd, at } = lab.bound(4, ownLoopback());
    const twin = duplicate(lab.libc, fd);
    lab.close();
    expect(() => bind(lab.libc, lab.open(4), at)).toThrow(/EADDRINUSE/u);
    close(lab.libc, twin);
    bind(lab.libc, lab.open(4), at);
  });

  describe('have options', () => {
    const switches: readonly (readonly [4 | 6, SocketOption])[] = [
      [4, 'SO_REUSEADDR'],
      [4, 'SO_REUSEPORT'],
      [4, 'IP_PKTINFO'],
      [4, 'IP_RECVERR'],
      [4, 'IP_FREEBIND'],
      [6, 'IPV6_RECVPKTINFO'],
      [6, 'IPV6_RECVERR'],
      [6, 'IPV6_V6ONLY'],
      [6, 'IPV6_FREEBIND'],
    ];

    it.each(switches.filter(([family]) => families.includes(family)))('of IPv%i: %s', (family, option) => {
      const fd = lab.open(family);
      for (const value of [1, 0, 1]) {
        setOption(lab.libc, fd, option, value);
        expect(getOption(lab.libc, fd, option)).toBe(value);
      }
    });

    it('for how long datagrams may be', () => {
      const fd = lab.open(4);
      for (const value of Object.values(MTU_DISCOVER)) {
        setOption(lab.libc, fd, 'IP_MTU_DISCOVER', value);
        expect(getOption(lab.libc, fd, 'IP_MTU_DISCOVER')).toBe(value);
      }
    });

    it.each(['SO_RCVBUF', 'SO_SNDBUF'] as const)('for their buffers: %s', (option) => {
      const fd = lab.open(4);
      setOption(lab.libc, fd, option, 10_000);
      expect(getOption(lab.libc, fd, option)).toBe(20_000);
    });

    it('that need privileges and say so', () => {
      const fd = lab.open(4);
      for (const option of ['SO_RCVBUFFORCE', 'IP_TRANSPARENT'] as const) {
        const error = errorOf(() => setOption(lab.libc, fd, option, 1));
        if (error !== undefined)
          expect(error).toMatchObject({ errnoName: 'EPERM', syscall: `setsockopt ${option}` });
      }
    });

    it('let them be bound to an address that is not there yet', () => {
      const fd = lab.open(4);
      setOption(lab.libc, fd, 'IP_FREEBIND', 1);
      bind(lab.libc, fd, { address: '192.0.2.1', port: 0 });
      expect(boundTo(lab.libc, fd).address).toBe('192.0.2.1');
    });

    it('let several of them share a port', () => {
      const at = { address: '127.0.0.1', port: 0 };
      const first = lab.open(4);
      setOption(lab.libc, first, 'SO_REUSEPORT', 1);
      bind(lab.libc, first, at);
      const second = lab.open(4);
      setOption(lab.libc, second, 'SO_REUSEPORT', 1);
      bind(lab.libc, second, boundTo(lab.libc, first));
      expect(boundTo(lab.libc, second)).toEqual(boundTo(lab.libc, first));
    });

    it('tell and clear the error that is pending', () => {
      const { fd } = lab.bound(4);
      connect(lab.libc, fd, lab.closedPort(4));
      const batch = lab.batchOf(['refused'], lab.bound(4).at);
      batch.peers.clear(0);
      batch.send(fd, 0, 1);
      lab.untilReady(fd);
      expect(getOption(lab.libc, fd, 'SO_ERROR')).toBe(ECONNREFUSED);
      expect(getOption(lab.libc, fd, 'SO_ERROR')).toBe(0);
      expect(new MessageBatch(lab.libc, { slots: 1 }).receive(fd)).toBe(-EAGAIN);
    });

    it.each([0.5, 2 ** 31, Number.NaN])('that take no %d', (value) => {
      expect(() => setOption(lab.libc, lab.open(4), 'SO_RCVBUF', value)).toThrow(RangeError);
    });

    it('that closed sockets have no longer', () => {
      expect(() => getOption(lab.libc, -1, 'SO_ERROR')).toThrow(/^getsockopt SO_ERROR: EBADF/u);
    });
  });
});
