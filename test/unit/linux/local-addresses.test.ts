import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { afterEach, describe, expect, it } from 'vitest';
import { MessageBatch } from '../../../src/linux/message-batch.ts';
import { decodeName, encodeName } from '../../../src/linux/name-codec.ts';
import { setOption } from '../../../src/linux/socket-options.ts';
import { bind, boundTo } from '../../../src/linux/sockets.ts';
import { families, isElsewhere, SocketLab } from './kernel.ts';

describe.skipIf(isElsewhere)('the addresses of this host in messages', () => {
  const lab = new SocketLab();
  afterEach(() => lab.close());

  /** A socket on all addresses that is told where messages were sent to. */
  function informed(family: 4 | 6): { fd: number; port: number } {
    const fd = lab.open(family);
    setOption(lab.libc, fd, family === 4 ? 'IP_PKTINFO' : 'IPV6_RECVPKTINFO', 1);
    bind(lab.libc, fd, { address: family === 4 ? '0.0.0.0' : '::', port: 0 });
    return { fd, port: boundTo(lab.libc, fd).port };
  }

  it('tell each IPv4 address that a message was sent to', () => {
    const [sender, receiver] = [lab.bound(4), informed(4)];
    const batch = lab.batchOf(['a', 'b', 'c'], { address: '127.0.0.1', port: receiver.port });
    const destinations = [0x7f000005, 0x7f123456, 0x7f000001];
    for (const [index, address] of destinations.entries()) batch.peers.set4(index, address, receiver.port);
    batch.send(sender.fd, 0, 3);

    const { batch: got, count } = lab.received(receiver.fd);
    expect(count).toBe(3);
    for (const [index, address] of destinations.entries()) {
      expect(got.locals.family(index)).toBe(4);
      expect(got.locals.address4(index)).toBe(address);
      expect(got.locals.answering4(index)).toBe(address);
      expect([...got.locals.copy(index)]).toEqual([24, 16, 8, 0].map((shift) => (address >>> shift) & 0xff));
    }
  });

  it('differ from the one to answer from where a message was broadcast', async () => {
    const receiver = informed(4);
    const sender = createSocket('udp4');
    try {
      sender.bind(0, '127.0.0.1');
      await once(sender, 'listening');
      sender.setBroadcast(true);
      await new Promise((sent) => sender.send('to all', receiver.port, '127.255.255.255', sent));
      const { batch } = lab.received(receiver.fd);
      expect(batch.locals.address4(0)).toBe(0x7fffffff);
      expect(batch.locals.answering4(0)).toBe(0x7f000001);
    } finally {
      sender.close();
    }
  });

  it('may be given to what is sent over IPv4', () => {
    const [sender, receiver] = [informed(4), lab.bound(4)];
    const batch = lab.batchOf(['a', 'b', 'c'], receiver.at);
    batch.locals.send4(0, 0x7f000009);
    batch.locals.send4(1, 0x7f0a0b0c);
    batch.locals.send4(2, 0x7f000009);
    batch.locals.clear(2);
    expect(batch.send(sender.fd, 0, 3)).toBe(3);
    const { batch: got } = lab.received(receiver.fd);
    expect([0, 1, 2].map((index) => got.peers.address4(index))).toEqual([0x7f000009, 0x7f0a0b0c, 0x7f000001]);
  });

  it('are forgotten when a slot is received into again', () => {
    const [client, balancer] = [lab.bound(4), informed(4)];
    const batch = new MessageBatch(lab.libc, { slots: 1 });
    batch.locals.send4(0, 0x7f000009);
    lab.batchOf(['a'], { address: '127.0.0.5', port: balancer.port }).send(client.fd, 0, 1);
    lab.untilReady(balancer.fd);
    batch.receive(balancer.fd);
    expect(batch.send(balancer.fd, 0, 1)).toBe(1);
    expect(lab.received(client.fd).batch.peers.address4(0)).toBe(0x7f000001);
  });

  it('must be the host’s', () => {
    const { fd } = lab.bound(4);
    const batch = lab.batchOf(['a'], { address: '127.0.0.1', port: 9 });
    batch.locals.send4(0, 0xc0000201);
    expect(batch.send(fd, 0, 1)).toBeLessThan(0);
  });

  it.skipIf(!families.includes(6))('are told and given over IPv6 too', () => {
    const [client, server] = [lab.bound(6), informed(6)];
    lab.batchOf(['a'], { address: '::1', port: server.port }).send(client.fd, 0, 1);
    const { batch } = lab.received(server.fd);
    expect(batch.locals.family(0)).toBe(6);
    expect(([0, 1, 2, 3] as const).map((word) => batch.locals.address6(0, word))).toEqual([0, 0, 0, 1]);
    expect(batch.locals.address4(0)).toBe(0);
    expect(batch.locals.answering4(0)).toBe(0);

    const address = batch.locals.copy(0);
    expect([...address]).toEqual([...encodeName(lab.libc, { address: '::1', port: 0 }).subarray(8, 24)]);
    batch.locals.send6(0, address);
    expect(batch.send(server.fd, 0, 1)).toBe(1);
    const answer = lab.received(client.fd);
    expect(([0, 1, 2, 3] as const).map((word) => answer.batch.peers.address6(0, word))).toEqual([0, 0, 0, 1]);
  });

  it.skipIf(!families.includes(6))(
    'are told in a slot whose last message had a shorter name and no control message',
    () => {
      const [client4, plain4] = [lab.bound(4), lab.bound(4)];
      const [client6, server6] = [lab.bound(6), informed(6)];
      const batch = new MessageBatch(lab.libc, { slots: 1 });
      lab.batchOf(['short'], plain4.at).send(client4.fd, 0, 1);
      lab.untilReady(plain4.fd);
      expect(batch.receive(plain4.fd)).toBe(1);
      lab.batchOf(['long'], { address: '::1', port: server6.port }).send(client6.fd, 0, 1);
      lab.untilReady(server6.fd);
      expect(batch.receive(server6.fd)).toBe(1);
      expect(decodeName(lab.libc, batch.peers.copy(0))).toEqual(client6.at);
      expect(batch.locals.family(0)).toBe(6);
    },
  );

  it.skipIf(!families.includes(6))('may be any where the socket is free to take them', () => {
    const [sender, receiver] = [lab.bound(6), lab.bound(6)];
    const address = encodeName(lab.libc, { address: '2001:db8::7', port: 0 }).subarray(8, 24);
    const batch = lab.batchOf(['a'], receiver.at);
    batch.locals.send6(0, address);
    expect(batch.send(sender.fd, 0, 1)).toBeLessThan(0);
    setOption(lab.libc, sender.fd, 'IPV6_FREEBIND', 1);
    expect(batch.send(sender.fd, 0, 1)).toBe(1);
    expect(lab.received(receiver.fd).batch.peers.copy(0).subarray(8, 24)).toEqual(address);
  });
});
