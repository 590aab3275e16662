import { afterEach, describe, expect, it } from 'vitest';
import { EPOLLERR } from '../../../src/linux/constants.ts';
import { Epoll } from '../../../src/linux/epoll.ts';
import { ERROR_ORIGIN, ErrorQueue } from '../../../src/linux/error-queue.ts';
import { decodeName } from '../../../src/linux/name-codec.ts';
import { setOption } from '../../../src/linux/socket-options.ts';
import { families, isElsewhere, SocketLab, textOf } from './kernel.ts';

const EBADF = 9;
const ECONNREFUSED = 111;
/** Port unreachable: type and code in ICMP and in ICMPv6. */
const unreachable = { 4: [3, 3], 6: [1, 4] } as const;

describe.skipIf(isElsewhere)('the error queue', () => {
  const lab = new SocketLab();
  afterEach(() => lab.close());

  describe.each(families)('over IPv%i', (family) => {
    function sender(): number {
      const { fd } = lab.bound(family);
      setOption(lab.libc, fd, family === 4 ? 'IP_RECVERR' : 'IPV6_RECVERR', 1);
      return fd;
    }

    it('has a refusal with the destination of what was refused', () => {
      const fd = sender();
      const [open, closed] = [lab.bound(family), lab.closedPort(family)];
      lab.batchOf(['heard'], open.at).send(fd, 0, 1);
      lab.batchOf(['refused'], closed).send(fd, 0, 1);
      lab.untilReady(fd);

      const errors = new ErrorQueue(lab.libc);
      expect(errors.read(fd)).toBe(1);
      expect(errors.errno()).toBe(ECONNREFUSED);
      expect(errors.origin()).toBe(family === 4 ? ERROR_ORIGIN.icmp : ERROR_ORIGIN.icmp6);
      expect([errors.type(), errors.code()]).toEqual(unreachable[family]);
      expect(decodeName(lab.libc, errors.destination.copy(0))).toEqual(closed);
      expect(errors.read(fd)).toBe(0);
    });

    it('gives the errors one by one, and sending works when it is empty', () => {
      const fd = sender();
      const [open, closed] = [lab.bound(family), [lab.closedPort(family), lab.closedPort(family)]];
      for (const at of closed) {
        const batch = lab.batchOf(['refused'], at);
        // The first refusal is told to the second call, and by that told once and for all.
        if (batch.send(fd, 0, 1) < 0) expect(batch.send(fd, 0, 1)).toBe(1);
      }
      lab.untilReady(fd);
      const errors = new ErrorQueue(lab.libc);
      const ports: number[] = [];
      while (errors.read(fd) === 1) ports.push(errors.destination.port(0));
      expect(ports).toEqual(closed.map(({ port }) => port));

      const batch = lab.batchOf(['heard'], open.at);
      expect(batch.send(fd, 0, 1)).toBe(1);
      expect(textOf(lab.received(open.fd).batch, 0)).toBe('heard');
    });

    it('fails the next call for anybody else until it is read', () => {
      const fd = sender();
      const [open, closed] = [lab.bound(family), lab.closedPort(family)];
      lab.batchOf(['refused'], closed).send(fd, 0, 1);
      lab.untilReady(fd);
      const batch = lab.batchOf(['heard'], open.at);
      expect(batch.send(fd, 0, 1)).toBe(-ECONNREFUSED);
      expect(new ErrorQueue(lab.libc).read(fd)).toBe(1);
      expect(batch.send(fd, 0, 1)).toBe(1);
    });
  });

  it.skipIf(!families.includes(6))('has errors of both families, one after the other', () => {
    const errors = new ErrorQueue(lab.libc);
    for (const family of [4, 6] as const) {
      const { fd } = lab.bound(family);
      setOption(lab.libc, fd, family === 4 ? 'IP_RECVERR' : 'IPV6_RECVERR', 1);
      const closed = lab.closedPort(family);
      lab.batchOf(['refused'], closed).send(fd, 0, 1);
      lab.untilReady(fd);
      expect(errors.read(fd)).toBe(1);
      expect(errors.errno()).toBe(ECONNREFUSED);
      expect(decodeName(lab.libc, errors.destination.copy(0))).toEqual(closed);
    }
  });

  it('has the errors of a socket that is told of destinations too', () => {
    const errors = new ErrorQueue(lab.libc);
    for (const packetInfo of [0, 1]) {
      const { fd } = lab.bound(4);
      setOption(lab.libc, fd, 'IP_RECVERR', 1);
      setOption(lab.libc, fd, 'IP_PKTINFO', packetInfo);
      lab.batchOf(['refused'], lab.closedPort(4)).send(fd, 0, 1);
      lab.untilReady(fd);
      expect(errors.read(fd)).toBe(1);
      expect(errors.errno()).toBe(ECONNREFUSED);
    }
  });

  it('wakes whoever waits for the socket', () => {
    const { fd } = lab.bound(4);
    setOption(lab.libc, fd, 'IP_RECVERR', 1);
    const epoll = new Epoll(lab.libc, 1);
    try {
      epoll.add(fd);
      lab.batchOf(['refused'], lab.closedPort(4)).send(fd, 0, 1);
      expect(epoll.wait(5000)).toBe(1);
      expect(epoll.events(0) & EPOLLERR).toBe(EPOLLERR);
      new ErrorQueue(lab.libc).read(fd);
      expect(epoll.wait(0)).toBe(0);
    } finally {
      epoll.close();
    }
  });

  it('is silent about refusals where they were not asked for', () => {
    const { fd } = lab.bound(4);
    lab.batchOf(['refused'], lab.closedPort(4)).send(fd, 0, 1);
    expect(new ErrorQueue(lab.libc).read(fd)).toBe(0);
  });

  it('says what went wrong with reading it, and then has nothing to tell', () => {
    const fd = lab.bound(4).fd;
    setOption(lab.libc, fd, 'IP_RECVERR', 1);
    lab.batchOf(['refused'], lab.closedPort(4)).send(fd, 0, 1);
    lab.untilReady(fd);
    const errors = new ErrorQueue(lab.libc);
    errors.read(fd);
    expect(errors.read(-1)).toBe(-EBADF);
    expect([errors.errno(), errors.origin(), errors.type(), errors.code(), errors.info()]).toEqual([
      0, 0, 0, 0, 0,
    ]);
  });

  it('has the MTU of the path for what was too long for it', () => {
    const fd = lab.bound(4).fd;
    setOption(lab.libc, fd, 'IP_RECVERR', 1);
    const batch = lab.batchOf(['x'], lab.bound(4).at);
    batch.setLength(0, 65_508);
    expect(batch.send(fd, 0, 1)).toBeLessThan(0);
    const errors = new ErrorQueue(lab.libc);
    expect(errors.read(fd)).toBe(1);
    expect(errors.origin()).toBe(ERROR_ORIGIN.local);
    expect(errors.info()).toBeGreaterThan(0);
    expect(errors.destination.address4(0)).toBe(0x7f000001);
  });
});
