import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, describe, expect, it } from 'vitest';
import { EAGAIN } from '../../../src/linux/constants.ts';
import { MessageBatch } from '../../../src/linux/message-batch.ts';
import { decodeName, encodeName } from '../../../src/linux/name-codec.ts';
import { setOption } from '../../../src/linux/socket-options.ts';
import { connect } from '../../../src/linux/sockets.ts';
import { SocketLab, families, isElsewhere, textOf } from './kernel.ts';

setFlagsFromString('--expose-gc');
const collectGarbage: () => void = runInNewContext('gc');

const EBADF = 9;
const EMSGSIZE = 90;
const ECONNREFUSED = 111;

describe.skipIf(isElsewhere)('a batch of messages', () => {
  const lab = new SocketLab();
  afterEach(() => lab.close());

  describe.each(families)('over IPv%i', (family) => {
    it('carries data, lengths and addresses in order', () => {
      const [sender, receiver] = [lab.bound(family), lab.bound(family)];
      const texts = ['one', '', 'three'.repeat(1000)];
      expect(lab.batchOf(texts, receiver.at).send(sender.fd, 0, 3)).toBe(3);

      const { batch, count } = lab.received(receiver.fd);
      expect(count).toBe(3);
      expect(texts.map((_, index) => textOf(batch, index))).toEqual(texts);
      for (let index = 0; index < count; index++) {
        expect(batch.peers.family(index)).toBe(family);
        expect(decodeName(lab.libc, batch.peers.copy(index))).toEqual(sender.at);
        expect(batch.isTruncated(index)).toBe(false);
      }
    });

    it('returns a message to its sender from the slot that it was received into', () => {
      const [client, server] = [lab.bound(family), lab.bound(family)];
      lab.batchOf(['there and back'], server.at).send(client.fd, 0, 1);
      const { batch } = lab.received(server.fd);
      expect(batch.send(server.fd, 0, 1)).toBe(1);

      const answer = lab.received(client.fd);
      expect(textOf(answer.batch, 0)).toBe('there and back');
      expect(answer.batch.peers.port(0)).toBe(server.at.port);
    });

    it('relays a message by giving its slot another peer', () => {
      const [client, balancer, backend] = [lab.bound(family), lab.bound(family), lab.bound(family)];
      lab.batchOf(['a request'], balancer.at).send(client.fd, 0, 1);
      const { batch } = lab.received(balancer.fd);
      batch.peers.set(0, encodeName(lab.libc, { ...backend.at, port: 1 }));
      batch.peers.setPort(0, backend.at.port);
      expect(batch.send(balancer.fd, 0, 1)).toBe(1);
      expect(textOf(lab.received(backend.fd).batch, 0)).toBe('a request');
    });

    it('carries the longest datagram that there is', () => {
      const [sender, receiver] = [lab.bound(family), lab.bound(family)];
      const text = 'x'.repeat(65_507);
      expect(lab.batchOf([text], receiver.at).send(sender.fd, 0, 1)).toBe(1);
      expect(textOf(lab.received(receiver.fd).batch, 0) === text).toBe(true);
    });

    it('sends to the peer of a connected socket', () => {
      const [sender, receiver] = [lab.bound(family), lab.bound(family)];
      connect(lab.libc, sender.fd, receiver.at);
      const batch = lab.batchOf(['hello'], receiver.at);
      batch.peers.clear(0);
      expect(batch.peers.family(0)).toBe(0);
      expect(batch.send(sender.fd, 0, 1)).toBe(1);
      expect(textOf(lab.received(receiver.fd).batch, 0)).toBe('hello');
    });
  });

  it('receives into the slots that it is told and leaves the others alone', () => {
    const [sender, receiver] = [lab.bound(4), lab.bound(4)];
    lab.batchOf(['a', 'b', 'c'], receiver.at).send(sender.fd, 0, 3);
    lab.untilReady(receiver.fd);
    const batch = new MessageBatch(lab.libc, { slots: 4 });
    batch.write(0, Buffer.from('mine'));
    expect(batch.receive(receiver.fd, 1, 2)).toBe(2);
    expect(batch.receive(receiver.fd, 3)).toBe(1);
    expect([0, 1, 2, 3].map((index) => textOf(batch, index))).toEqual(['mine', 'a', 'b', 'c']);
  });

  it('receives again into slots whose lengths and peers have changed', () => {
    const [sender, receiver] = [lab.bound(4), lab.bound(4)];
    const sent = lab.batchOf(['first and long'], receiver.at);
    const batch = new MessageBatch(lab.libc, { slots: 1 });
    for (const text of ['first and long', 'x', 'again as long']) {
      sent.write(0, Buffer.from(text));
      sent.send(sender.fd, 0, 1);
      lab.untilReady(receiver.fd);
      expect(batch.receive(receiver.fd)).toBe(1);
      expect(textOf(batch, 0)).toBe(text);
      batch.setLength(0, 1);
      batch.peers.clear(0);
    }
  });

  it('tells which messages were cut off', () => {
    const [sender, receiver] = [lab.bound(4), lab.bound(4)];
    lab.batchOf(['12345678', '123456789'], receiver.at).send(sender.fd, 0, 2);
    lab.untilReady(receiver.fd);
    const batch = new MessageBatch(lab.libc, { slots: 2, slotSize: 8 });
    expect(batch.receive(receiver.fd)).toBe(2);
    expect([batch.isTruncated(0), batch.isTruncated(1)]).toEqual([false, true]);
    expect([batch.length(0), batch.length(1)]).toEqual([8, 8]);
    expect(textOf(batch, 1)).toBe('12345678');
  });

  it('tells how many were sent before one failed, and then why that one did', () => {
    const [sender, receiver] = [lab.bound(4), lab.bound(4)];
    const batch = lab.batchOf(['a', 'b', 'c', 'd'], receiver.at);
    batch.setLength(2, 65_536);
    expect(batch.send(sender.fd, 0, 4)).toBe(2);
    expect(batch.send(sender.fd, 2, 2)).toBe(-EMSGSIZE);
    expect(batch.send(sender.fd, 3, 1)).toBe(1);
    const { batch: got, count } = lab.received(receiver.fd);
    expect(count).toBe(3);
    expect([0, 1, 2].map((index) => textOf(got, index))).toEqual(['a', 'b', 'd']);
  });

  it('returns what went wrong as a negative errno', () => {
    const { fd } = lab.bound(4);
    const batch = new MessageBatch(lab.libc, { slots: 1 });
    expect(batch.receive(fd)).toBe(-EAGAIN);
    expect(batch.receive(-1)).toBe(-EBADF);
    expect(batch.send(-1, 0, 1)).toBe(-EBADF);
    connect(lab.libc, fd, lab.closedPort(4));
    expect(batch.send(fd, 0, 1)).toBe(1);
    lab.untilReady(fd);
    expect(batch.receive(fd)).toBe(-ECONNREFUSED);
    expect(batch.receive(fd)).toBe(-EAGAIN);
  });

  it('never waits, though the socket would let it', () => {
    const { fd } = lab.bound(4);
    lab.libc.fcntl(fd, 4, 0);
    expect(new MessageBatch(lab.libc, { slots: 1 }).receive(fd)).toBe(-EAGAIN);
  });

  it('knows nothing of addresses where no packet info is asked for', () => {
    const [sender, receiver] = [lab.bound(4), lab.bound(4)];
    lab.batchOf(['a'], receiver.at).send(sender.fd, 0, 1);
    expect(lab.received(receiver.fd).batch.locals.family(0)).toBe(0);
  });

  it.each([-1, 0.5, 2, Number.NaN, 2 ** 32])('refuses slot %d before anything is written', (index) => {
    const batch = new MessageBatch(lab.libc, { slots: 2, slotSize: 16 });
    const name = encodeName(lab.libc, { address: '127.0.0.1', port: 9 });
    const calls = [
      () => batch.receive(-1, index),
      () => batch.send(-1, index, 1),
      () => batch.length(index),
      () => batch.setLength(index, 1),
      () => batch.isTruncated(index),
      () => batch.data(index),
      () => batch.write(index, new Uint8Array(1)),
      () => batch.peers.family(index),
      () => batch.peers.port(index),
      () => batch.peers.address4(index),
      () => batch.peers.address6(index, 0),
      () => batch.peers.scope(index),
      () => batch.peers.copy(index),
      () => batch.peers.set(index, name),
      () => batch.peers.set4(index, 1, 1),
      () => batch.peers.setPort(index, 1),
      () => batch.peers.clear(index),
      () => batch.locals.family(index),
      () => batch.locals.address4(index),
      () => batch.locals.answering4(index),
      () => batch.locals.address6(index, 0),
      () => batch.locals.copy(index),
      () => batch.locals.send4(index, 1),
      () => batch.locals.send6(index, new Uint8Array(16)),
      () => batch.locals.clear(index),
    ];
    for (const call of calls) expect(call).toThrow(RangeError);
  });

  it('refuses what does not fit before the call', () => {
    const batch = new MessageBatch(lab.libc, { slots: 2, slotSize: 16 });
    const calls = [
      () => batch.receive(-1, 0, 3),
      () => batch.receive(-1, 1, 2),
      () => batch.receive(-1, 0, 0),
      () => batch.receive(-1, 0, 1.5),
      () => batch.send(-1, 1, 2),
      () => batch.send(-1, 0, 0),
      () => batch.setLength(0, 17),
      () => batch.setLength(0, -1),
      () => batch.setLength(0, Number.NaN),
      () => batch.write(0, new Uint8Array(17)),
      () => batch.peers.set(0, new Uint8Array(16)),
      () => batch.peers.set(0, encodeName(lab.libc, { address: '::1', port: 1 }).subarray(0, 27)),
      () => batch.peers.set(0, encodeName(lab.libc, { address: '127.0.0.1', port: 1 }).subarray(0, 1)),
      () => batch.locals.send6(0, new Uint8Array(4)),
    ];
    for (const call of calls) expect(call).toThrow(RangeError);
  });

  it('keeps the memory that the kernel knows of, whatever else is collected', () => {
    const [sender, receiver] = [lab.bound(4), lab.bound(4)];
    const [sent, received] = [lab.batchOf(['a', 'b'], receiver.at), new MessageBatch(lab.libc, { slots: 2 })];
    for (let round = 0; round < 5; round++) {
      collectGarbage();
      // What was given back is taken again, and overwritten.
      for (let size = 8; size < 100_000; size *= 2) new Uint8Array(new SharedArrayBuffer(size)).fill(0xff);
      expect(sent.send(sender.fd, 0, 2)).toBe(2);
      lab.untilReady(receiver.fd);
      expect(received.receive(receiver.fd)).toBe(2);
      expect([textOf(received, 0), textOf(received, 1)]).toEqual(['a', 'b']);
      expect(received.peers.port(1)).toBe(sender.at.port);
    }
  });

  it('takes messages of many senders at once', () => {
    const receiver = lab.bound(4);
    setOption(lab.libc, receiver.fd, 'SO_RCVBUF', 1_000_000);
    const senders = Array.from({ length: 20 }, () => lab.bound(4));
    for (const { fd, at } of senders) lab.batchOf([`from ${at.port}`], receiver.at).send(fd, 0, 1);
    const { batch, count } = lab.received(receiver.fd);
    expect(count).toBe(20);
    for (const [index, { at }] of senders.entries()) {
      expect(textOf(batch, index)).toBe(`from ${batch.peers.port(index)}`);
      expect(batch.peers.port(index)).toBe(at.port);
      expect(batch.peers.address4(index)).toBe(0x7f000001);
    }
  });
});
