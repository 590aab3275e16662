import { describe, expect, it } from 'vitest';
import { bytes, codeOf, type NetScene } from './net-scene.ts';

export function tidContract(scene: () => NetScene): void {
  describe('openTid', () => {
    it('speaks to the request port and hears answers from there and from a new port', async () => {
      const { bind, openTid, until, loopback, wildcard } = scene();
      const { socket: server, ear: atServer } = bind();
      const { socket: worker, ear: atWorker } = bind();
      const { socket: tid, ear } = openTid(server);
      expect(tid.address).toBe(wildcard);
      tid.send(bytes('request'), server.port, loopback);
      await until(() => atServer.datagrams.length === 1);
      const source = { address: loopback, port: tid.port };
      expect(atServer.datagrams).toEqual([{ data: 'request', from: source }]);

      server.send(bytes('from the request port'), tid.port, loopback);
      await until(() => ear.datagrams.length === 1);
      worker.send(bytes('from a new port'), tid.port, loopback);
      await until(() => ear.datagrams.length === 2);
      expect(ear.datagrams.map(({ from }) => from.port)).toEqual([server.port, worker.port]);

      tid.send(bytes('ack'), worker.port, loopback);
      await until(() => atWorker.datagrams.length === 1);
      expect(atWorker.datagrams).toEqual([{ data: 'ack', from: source }]);
    });

    it('hears that the request port refuses, each time, and goes on', async () => {
      const { bind, openTid, deadEndpoint, until } = scene();
      const dead = deadEndpoint();
      const { socket: tid, ear } = openTid(dead);
      tid.send(bytes('request'), dead.port, dead.address);
      await until(() => ear.refusals === 1);
      tid.send(bytes('request'), dead.port, dead.address);
      await until(() => ear.refusals === 2);
      const revived = bind({ port: dead.port });
      tid.send(bytes('request'), dead.port, dead.address);
      await until(() => revived.ear.datagrams.length === 1);
      expect(ear.refusals).toBe(2);
      expect(ear.errors).toEqual([]);
    });

    it('hears no refusal of another port', async () => {
      const { bind, openTid, deadEndpoint, until, loopback } = scene();
      const { socket: server } = bind();
      const { socket: tid, ear } = openTid(server);
      tid.send(bytes('x'), deadEndpoint().port, loopback);
      server.send(bytes('later'), tid.port, loopback);
      await until(() => ear.datagrams.length === 1);
      expect(ear.refusals + ear.errors.length).toBe(0);
    });

    it('hears no refusal once it is closed', async () => {
      const { openTid, deadEndpoint, until } = scene();
      const dead = deadEndpoint();
      const { socket: tid, ear } = openTid(dead);
      for (const text of ['1', '2']) tid.send(bytes(text), dead.port, dead.address);
      tid.close();
      const { socket: later, ear: atLater } = openTid(dead);
      later.send(bytes('request'), dead.port, dead.address);
      await until(() => atLater.refusals === 1);
      expect(ear.refusals).toBe(0);
    });

    it('pinned to a new port, it still hears that port, the request port and strays', async () => {
      const { bind, openTid, until, loopback } = scene();
      const { socket: server } = bind();
      const { socket: worker, ear: atWorker } = bind();
      const { socket: stray } = bind();
      const { socket: tid, ear } = openTid(server);
      tid.pinned(worker.port);
      worker.send(bytes('data'), tid.port, loopback);
      await until(() => ear.datagrams.length === 1);
      stray.send(bytes('stray'), tid.port, loopback);
      await until(() => ear.datagrams.length === 2);
      server.send(bytes('late'), tid.port, loopback);
      await until(() => ear.datagrams.length === 3);
      expect(ear.datagrams.map(({ from }) => from.port)).toEqual([worker.port, stray.port, server.port]);

      tid.send(bytes('ack'), worker.port, loopback);
      await until(() => atWorker.datagrams.length === 1);
      expect(atWorker.data).toEqual(['ack']);
    });

    it('hears no refusal once it is pinned to a new port, not even of what it sent before', async () => {
      const { openTid, deadEndpoint, until } = scene();
      const dead = deadEndpoint();
      const { socket: tid, ear } = openTid(dead);
      // A fast system knows of the first refusal when the second datagram is sent.
      for (const text of ['1', '2']) tid.send(bytes(text), dead.port, dead.address);
      tid.pinned(dead.port + 1);
      tid.send(bytes('request'), dead.port, dead.address);
      const { socket: later, ear: atLater } = openTid(dead);
      later.send(bytes('request'), dead.port, dead.address);
      await until(() => atLater.refusals === 1);
      expect(ear.refusals + ear.errors.length).toBe(0);
    });

    it('pinned to the request port, it loses nothing that has arrived, and hears strays', async () => {
      const { bind, openTid, until, loopback } = scene();
      const { socket: server, ear: atServer } = bind();
      const { socket: stray } = bind();
      const { socket: tid, ear } = openTid(server);
      for (const text of ['1', '2', '3']) server.send(bytes(text), tid.port, loopback);
      tid.pinned(server.port);
      await until(() => ear.datagrams.length === 3);
      stray.send(bytes('stray'), tid.port, loopback);
      await until(() => ear.datagrams.length === 4);
      expect(ear.data).toEqual(['1', '2', '3', 'stray']);
      expect(ear.datagrams[3]?.from).toEqual({ address: loopback, port: stray.port });
      tid.send(bytes('ack'), server.port, loopback);
      await until(() => atServer.datagrams.length === 1);
    });

    it('has a port of its own for as long as it is open', () => {
      const { bind, openTid, wildcard } = scene();
      const { socket: server } = bind();
      const tids = Array.from({ length: 100 }, () => openTid(server).socket);
      expect(new Set(tids.map((tid) => tid.port)).size).toBe(100);
      const [first] = tids;
      const port = first?.port ?? 0;
      expect(codeOf(() => bind({ port, address: wildcard }))).toBe('TLB_ERR_ADDRESS_IN_USE');
      first?.close();
      expect(bind({ port, address: wildcard }).socket.port).toBe(port);
    });

    it('is not opened towards what is no destination', () => {
      const { openTid, loopback } = scene();
      expect(codeOf(() => openTid({ address: loopback, port: 0 }))).toBe('TLB_ERR_SOCKET');
      expect(codeOf(() => openTid({ address: loopback, port: 65_536 }))).toBe('TLB_ERR_SOCKET');
      expect(codeOf(() => openTid({ address: 'localhost', port: 69 }))).toBe('TLB_ERR_SOCKET');
      expect(codeOf(() => openTid({ address: '', port: 69 }))).toBe('TLB_ERR_SOCKET');
    });

    it('reports a datagram that cannot be sent, on either path, and goes on', async () => {
      const { bind, openTid, until, loopback, longest } = scene();
      const { socket: server, ear: atServer } = bind();
      const { socket: tid, ear } = openTid(server);
      tid.send(new Uint8Array(longest + 1), server.port, loopback);
      tid.send(new Uint8Array(longest + 1), bind().socket.port, loopback);
      tid.send(bytes('x'), 0, loopback);
      tid.send(bytes('x'), 69, 'localhost');
      tid.send(bytes('found'), server.port, loopback);
      await until(() => atServer.datagrams.length === 1 && ear.errors.length === 4);
      expect(ear.errors.map((error) => error.code)).toEqual([
        'TLB_ERR_MESSAGE_TOO_LONG',
        'TLB_ERR_MESSAGE_TOO_LONG',
        'TLB_ERR_SOCKET',
        'TLB_ERR_SOCKET',
      ]);
      expect(ear.refusals).toBe(0);
    });

    it('closed, it is silent, and closing or pinning it again changes nothing', async () => {
      const { bind, openTid, until, loopback, longest } = scene();
      const { socket: server, ear: atServer } = bind();
      const { socket: tid, ear } = openTid(server);
      server.send(bytes('on its way'), tid.port, loopback);
      tid.send(new Uint8Array(longest + 1), server.port, loopback);
      tid.close();
      tid.close();
      tid.pinned(server.port + 1);
      tid.send(bytes('x'), server.port, loopback);
      bind().socket.send(bytes('later'), server.port, loopback);
      await until(() => atServer.datagrams.length > 0);
      expect(atServer.data).toEqual(['later']);
      expect(ear.datagrams).toEqual([]);
      expect(ear.errors).toEqual([]);
    });
  });
}
