import { describe, expect, it } from 'vitest';
import { NetError, type Endpoint } from '../../src/net/net.ts';
import { bytes, codeOf, Ear, type UdpScene } from './net-scene.ts';

export function udpContract(scene: () => UdpScene): void {
  describe('bindUdp', () => {
    it('reports the address and the port that the system chose', () => {
      const { bind, loopback } = scene();
      const { socket } = bind();
      expect(socket.address).toBe(loopback);
      expect(socket.port).toBeGreaterThan(0);
      expect(bind().socket.port).not.toBe(socket.port);
    });

    it('binds exclusively, beside a socket of all addresses too', () => {
      const { bind, wildcard } = scene();
      const { socket } = bind();
      expect(codeOf(() => bind({ port: socket.port }))).toBe('TLB_ERR_ADDRESS_IN_USE');
      expect(codeOf(() => bind({ port: socket.port, address: wildcard }))).toBe('TLB_ERR_ADDRESS_IN_USE');
      const all = bind({ address: wildcard }).socket;
      expect(codeOf(() => bind({ port: all.port }))).toBe('TLB_ERR_ADDRESS_IN_USE');
    });

    it('lets sockets that all wish it share a port, each source heard by one of them', async () => {
      const { bind, until, loopback } = scene();
      const first = bind({ reusePort: true });
      const { port } = first.socket;
      const sharing = [first, bind({ port, reusePort: true }), bind({ port, reusePort: true })];
      const heard = (): { data: string; ear: number }[] =>
        sharing.flatMap(({ ear }, at) => ear.data.map((data) => ({ data, ear: at })));
      const sources = Array.from({ length: 64 }, () => bind().socket);
      for (const round of ['one', 'two']) {
        for (const [n, source] of sources.entries()) source.send(bytes(`${n} ${round}`), port, loopback);
      }
      await until(() => heard().length === 128);
      const earOf = (text: string): number | undefined => heard().find(({ data }) => data === text)?.ear;
      for (const n of sources.keys()) expect(earOf(`${n} one`)).toBe(earOf(`${n} two`));
      expect(new Set(heard().map(({ ear }) => ear)).size).toBe(3);
    });

    it('shares a port with nobody who does not wish it', () => {
      const { bind } = scene();
      const { port } = bind({ reusePort: true }).socket;
      expect(codeOf(() => bind({ port }))).toBe('TLB_ERR_ADDRESS_IN_USE');
      const { port: own } = bind().socket;
      expect(codeOf(() => bind({ port: own, reusePort: true }))).toBe('TLB_ERR_ADDRESS_IN_USE');
    });

    it('frees the port with the call of close', () => {
      const { bind } = scene();
      const { socket } = bind();
      socket.close();
      expect(bind({ port: socket.port }).socket.port).toBe(socket.port);
    });

    it('keeps the families apart on one port', async (context) => {
      const { bind, until, net, loopback, wildcard, otherWildcard } = scene();
      if (new Set(net.localAddresses().map(({ family }) => family)).size < 2) context.skip();
      const sender = bind();
      // Another program may hold the port in the other family.
      const pairs = Array.from({ length: 10 }, () => bind({ address: wildcard })).flatMap((own) => {
        const ear = new Ear();
        const { port } = own.socket;
        const error = codeOf(() => bind({ ear, port, address: otherWildcard }));
        return error === 'no error' ? [{ own, other: ear }] : [];
      });
      const [pair] = pairs;
      if (pair === undefined) throw new Error('not one port was free in both families');
      sender.socket.send(bytes('hello'), pair.own.socket.port, loopback);
      await until(() => pair.own.ear.datagrams.length === 1);
      expect(pair.other.datagrams).toEqual([]);
    });

    it('throws NetError for what it cannot bind', () => {
      const { bind, foreign } = scene();
      expect(codeOf(() => bind({ address: foreign }))).toBe('TLB_ERR_ADDRESS_NOT_LOCAL');
      expect(codeOf(() => bind({ address: 'localhost' }))).toBe('TLB_ERR_SOCKET');
      expect(codeOf(() => bind({ address: '' }))).toBe('TLB_ERR_SOCKET');
      expect(codeOf(() => bind({ port: 65_536 }))).toBe('TLB_ERR_SOCKET');
      expect(codeOf(() => bind({ port: -1 }))).toBe('TLB_ERR_SOCKET');
    });

    it('takes a receive buffer that is larger than the system allows', async () => {
      const { bind, until, loopback } = scene();
      const { socket, ear } = bind({ receiveBuffer: 2 ** 30 });
      bind().socket.send(bytes('hello'), socket.port, loopback);
      await until(() => ear.data.length === 1);
    });
  });

  describe('datagrams', () => {
    it('arrive in order with their bytes and their source', async () => {
      const { bind, until, loopback } = scene();
      const { socket: a } = bind();
      const { socket: b, ear } = bind();
      for (const text of ['one', '', '\0\xff']) a.send(bytes(text), b.port, loopback);
      await until(() => ear.datagrams.length === 3);
      const from = { address: loopback, port: a.port };
      expect(ear.datagrams).toEqual(['one', '', '\0\xff'].map((data) => ({ data, from })));
    });

    it('leave with the bytes that they had when they were sent', async () => {
      const { bind, until, loopback } = scene();
      const { socket: a } = bind();
      const { socket: b, ear } = bind();
      const data = bytes('first');
      a.send(data, b.port, loopback);
      data.set(bytes('other'));
      a.send(data.subarray(0, 2), b.port, loopback);
      await until(() => ear.datagrams.length === 2);
      expect(ear.data).toEqual(['first', 'ot']);
    });

    it('may be as long as the protocol allows, and no longer', async () => {
      const { bind, until, loopback, longest } = scene();
      const { socket: a, ear: errors } = bind();
      const { socket: b, ear } = bind();
      a.send(new Uint8Array(longest + 1), b.port, loopback);
      a.send(new Uint8Array(70_000), b.port, loopback);
      a.send(new Uint8Array(longest).fill(0x61), b.port, loopback);
      await until(() => ear.datagrams.length === 1 && errors.errors.length === 2);
      expect(ear.data).toEqual(['a'.repeat(longest)]);
      expect(errors.errors.map((error) => error.code)).toEqual([
        'TLB_ERR_MESSAGE_TOO_LONG',
        'TLB_ERR_MESSAGE_TOO_LONG',
      ]);
    });

    it('reach a socket of all addresses, which answers from the address that was asked', async () => {
      const { bind, until, loopback, wildcard } = scene();
      const { socket: a, ear } = bind();
      const echo = new Ear((data, port, address) => all.socket.send(data, port, address));
      const all = bind({ ear: echo, address: wildcard });
      a.send(bytes('hello'), all.socket.port, loopback);
      await until(() => ear.datagrams.length === 1);
      expect(ear.datagrams).toEqual([{ data: 'hello', from: { address: loopback, port: all.socket.port } }]);
    });

    it('to nowhere reach onError after the call, and the socket goes on', async () => {
      const { bind, until, loopback, otherLoopback } = scene();
      const { socket: a, ear: errors } = bind();
      const { socket: b, ear } = bind();
      const wrong: Endpoint[] = [
        { address: loopback, port: 0 },
        { address: loopback, port: 65_536 },
        { address: loopback, port: 1.5 },
        { address: loopback, port: NaN },
        { address: 'localhost', port: b.port },
        { address: '', port: b.port },
        { address: otherLoopback, port: b.port },
      ];
      for (const { address, port } of wrong) a.send(bytes('lost'), port, address);
      expect(errors.errors).toEqual([]);
      a.send(bytes('found'), b.port, loopback);
      await until(() => ear.datagrams.length === 1 && errors.errors.length === wrong.length);
      expect(ear.data).toEqual(['found']);
      for (const error of errors.errors) {
        expect(error).toBeInstanceOf(NetError);
        expect(error.closed).toBe(false);
        expect(error.message).not.toBe('');
      }
    });

    it('to a port where nobody listens are lost without an error', async () => {
      const { bind, deadEndpoint, until, loopback } = scene();
      const { socket: a, ear: errors } = bind();
      const { socket: b, ear } = bind();
      a.send(bytes('lost'), deadEndpoint().port, loopback);
      a.send(bytes('found'), b.port, loopback);
      b.send(bytes('back'), a.port, loopback);
      await until(() => ear.datagrams.length === 1 && errors.datagrams.length === 1);
      expect(errors.errors).toEqual([]);
    });
  });

  describe('close', () => {
    it('ends everything: what is on its way, what is sent later, and errors', async () => {
      const { bind, until, loopback } = scene();
      const { socket: a } = bind();
      const closing = bind({ ear: new Ear(() => closing.socket.close()) });
      const { socket: c, ear } = bind();
      for (const text of ['one', 'two', 'three']) a.send(bytes(text), closing.socket.port, loopback);
      await until(() => closing.ear.datagrams.length > 0);
      closing.socket.send(bytes('x'), c.port, loopback);
      closing.socket.send(bytes('x'), 0, loopback);
      closing.socket.close();
      a.send(bytes('last'), c.port, loopback);
      await until(() => ear.datagrams.length > 0);
      expect(closing.ear.data).toEqual(['one']);
      expect(closing.ear.errors).toEqual([]);
      expect(ear.data).toEqual(['last']);
    });

    it('silences the error of a datagram that was sent before', async () => {
      const { bind, until, loopback, longest } = scene();
      const { socket: a, ear: errors } = bind();
      const { socket: b, ear } = bind();
      a.send(new Uint8Array(longest + 1), b.port, loopback);
      a.send(bytes('x'), 0, loopback);
      a.close();
      bind().socket.send(bytes('later'), b.port, loopback);
      await until(() => ear.datagrams.length === 1);
      expect(errors.errors).toEqual([]);
    });
  });
}
