import { readFileSync, readlinkSync } from 'node:fs';
import path from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { EAGAIN } from '../../../src/linux/constants.ts';
import { DescriptorMessage, MAX_DESCRIPTORS } from '../../../src/linux/descriptor-message.ts';
import { close } from '../../../src/linux/sockets.ts';
import { connectUnix, listenUnix, peerOf } from '../../../src/linux/unix-socket.ts';
import { removeFolders, temporaryFolder } from '../../helpers/folders.ts';
import { isElsewhere, libcHere, SocketLab } from './kernel.ts';
import { unixPair } from './unix-pair.ts';

const EPIPE = 32;

/** What a descriptor of this process stands for. */
function objectOf(fd: number): string {
  return readlinkSync(`/proc/self/fd/${fd}`);
}

describe.skipIf(isElsewhere)('messages with descriptors', () => {
  const lab = new SocketLab();
  const opened: number[] = [];
  afterEach(() => {
    for (const fd of opened.splice(0)) close(lab.libc, fd);
    lab.close();
    removeFolders();
  });

  function ends(): readonly [number, number] {
    const pair = unixPair();
    opened.push(...pair);
    return pair;
  }

  it('bring the open sockets themselves, which no child process inherits', () => {
    const [from, to] = ends();
    const sockets = [lab.open(4), lab.open(4)];
    const message = new DescriptorMessage(lab.libc, 64);
    expect(message.send(from, Buffer.from('two of them'), sockets)).toBe(11);
    const received = message.receive(to);
    if (typeof received === 'number') throw new Error(`errno ${received}`);
    opened.push(...received.descriptors);
    expect(Buffer.from(received.data).toString()).toBe('two of them');
    expect(received.isCut).toBe(false);
    expect(received.descriptors.map(objectOf)).toEqual(sockets.map(objectOf));
    const [fd = -1] = received.descriptors;
    const [, flags = ''] = /^flags:\s*(\d+)$/mu.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8')) ?? [];
    expect(Number.parseInt(flags, 8) & 0o2000000).not.toBe(0);
  });

  it('carry as many descriptors as the kernel lets, and none', () => {
    const [from, to] = ends();
    const message = new DescriptorMessage(lab.libc, 64);
    const fd = lab.open(4);
    message.send(
      from,
      Buffer.of(1),
      Array.from({ length: MAX_DESCRIPTORS }, () => fd),
    );
    message.send(from, Buffer.of(2), []);
    const many = message.receive(to);
    const none = message.receive(to);
    if (typeof many === 'number' || typeof none === 'number') throw new Error('nothing came');
    opened.push(...many.descriptors);
    expect(many.descriptors).toHaveLength(MAX_DESCRIPTORS);
    expect([...none.data]).toEqual([2]);
    expect(none.descriptors).toEqual([]);
  });

  it('are nothing but what was sent, also from a socket that has a name', () => {
    const [named, nameless] = ends().toReversed();
    const message = new DescriptorMessage(lab.libc, 64);
    for (const text of ['one', 'two']) {
      message.send(named ?? -1, Buffer.from(text), []);
      expect(message.receive(nameless ?? -1)).toMatchObject({ data: Buffer.from(text) });
    }
  });

  it('say when nothing is there, when the peer is gone, and when something is missing', () => {
    const [from, to] = ends();
    const message = new DescriptorMessage(lab.libc, 64);
    expect(message.receive(to)).toBe(-EAGAIN);
    message.send(from, Buffer.from('too long'), []);
    expect(new DescriptorMessage(lab.libc, 3).receive(to)).toMatchObject({ isCut: true });
    close(lab.libc, opened.shift() ?? -1);
    expect(message.receive(to)).toBe(0);
    expect(message.send(to, Buffer.of(1), [])).toBe(-EPIPE);
  });

  it('are refused before the call if they are too large', () => {
    const message = new DescriptorMessage(lab.libc, 4);
    expect(() => message.send(-1, new Uint8Array(5), [])).toThrow(RangeError);
    expect(() => message.send(-1, new Uint8Array(0), [])).toThrow(RangeError);
    const tooMany = Array.from({ length: MAX_DESCRIPTORS + 1 }, () => 0);
    expect(() => message.send(-1, new Uint8Array(1), tooMany)).toThrow(RangeError);
  });

  it('go to a process whose user is known', () => {
    const [one, other] = ends();
    const own = { pid: process.pid, user: process.geteuid?.() };
    expect([peerOf(lab.libc, one), peerOf(lab.libc, other)]).toEqual([own, own]);
  });

  it('need a path that is short enough, and somebody who listens there', () => {
    const libc = libcHere();
    expect(() => listenUnix(libc, 'x'.repeat(108))).toThrow(RangeError);
    expect(() => connectUnix(libc, '')).toThrow(RangeError);
    expect(() => connectUnix(libc, path.join(temporaryFolder('pair'), 'nobody'))).toThrow(/ENOENT/u);
  });
});
