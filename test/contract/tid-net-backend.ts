import { describe, expect, it } from 'vitest';
import { bytes, codeOf, Ear } from './net-scene.ts';
import { Door, type TidScene } from './tid-scene.ts';

export function backendContract(scene: () => TidScene): void {
  describe('backend-facing TIDs', () => {
    it('speak to the request port and hear answers from there and from a new port', async () => {
      const { bind, backendTids, lendBackend, until, loopback, wildcard } = scene();
      const { socket: server, ear: atServer } = bind();
      const { socket: worker, ear: atWorker } = bind();
      const { socket: tid, ear } = lendBackend(backendTids(), server);
      expect(tid.address).toBe(wildcard);
      tid.send(bytes('request'), server.port, loopback);
      await until(() => atServer.datagrams.length === 1);
      const source = { address: loopback, port: tid.port };
      expect(atServer.datagrams).toEqual([{ data: 'request', from: source }]);

      server.send(bytes('from the request port'), tid.port, loopback);
      await until(() => ear.datagrams.length === 1);
      worker.send(bytes('from a new port'), tid.port, loopback);
      await until(() => ear.datagrams.length === 2);
      expect(ear.datagrams.map(({ from }) => from)).toEqual([
        { address: loopback, port: server.port },
        { address: loopback, port: worker.port },
      ]);

      tid.pinned(worker.port);
      tid.send(bytes('ack'), worker.port, loopback);
      await until(() => atWorker.datagrams.length === 1);
      expect(atWorker.datagrams).toEqual([{ data: 'ack', from: source }]);
      bind().socket.send(bytes('from a third port'), tid.port, loopback);
      await until(() => ear.datagrams.length === 3);
    });

    it('differ between the sessions of one backend, each of which hears what came to its own', async () => {
      const { bind, backendTids, lendBackend, until, loopback } = scene();
      const tids = backendTids();
      const echo = new Ear((data, port, address) => server.send(data, port, address));
      const { socket: server } = bind({ ear: echo });
      const sessions = Array.from({ length: 100 }, () => lendBackend(tids, server));
      expect(new Set(sessions.map(({ socket }) => socket.port)).size).toBe(100);
      for (const { socket } of sessions) socket.send(bytes(`of ${socket.port}`), server.port, loopback);
      await until(() => sessions.every(({ ear }) => ear.datagrams.length > 0));
      for (const { socket, ear } of sessions) expect(ear.data).toEqual([`of ${socket.port}`]);
    });

    it('differ between the sessions of two backends on one address', async () => {
      const { bind, backendTids, lendBackend, until, loopback } = scene();
      const tids = backendTids();
      const servers = [bind().socket, bind().socket];
      const sessions = servers.map((server) => lendBackend(tids, server));
      const { socket: worker } = bind();
      for (const [n, { socket }] of sessions.entries()) worker.send(bytes(`for ${n}`), socket.port, loopback);
      await until(() => sessions.every(({ ear }) => ear.datagrams.length > 0));
      for (const [n, { ear }] of sessions.entries()) expect(ear.data).toEqual([`for ${n}`]);
    });

    it('are lent again and again, also while others are held', async () => {
      const { bind, backendTids, lendBackend, until, loopback } = scene();
      const tids = backendTids();
      const echo = new Ear((data, port, address) => server.send(data, port, address));
      const { socket: server } = bind({ ear: echo });
      const held = lendBackend(tids, server);
      for (let round = 0; round < 150; round++) {
        const { socket, ear } = lendBackend(tids, server);
        expect(socket.port).not.toBe(held.socket.port);
        socket.send(bytes(`round ${round}`), server.port, loopback);
        if (round % 10 === 0) await until(() => ear.data.includes(`round ${round}`));
        socket.close();
      }
      expect(held.ear.datagrams).toEqual([]);
      held.socket.send(bytes('held'), server.port, loopback);
      await until(() => held.ear.datagrams.length === 1);
      expect(held.ear.data).toEqual(['held']);
    });

    it('are not lent towards what is no destination', () => {
      const { backendTids, lendBackend, loopback } = scene();
      const tids = backendTids();
      expect(codeOf(() => lendBackend(tids, { address: loopback, port: 0 }))).toBe('TLB_ERR_SOCKET');
      expect(codeOf(() => lendBackend(tids, { address: loopback, port: 65_536 }))).toBe('TLB_ERR_SOCKET');
      expect(codeOf(() => lendBackend(tids, { address: 'localhost', port: 69 }))).toBe('TLB_ERR_SOCKET');
      expect(codeOf(() => lendBackend(tids, { address: '', port: 69 }))).toBe('TLB_ERR_SOCKET');
    });

    it('hear and send datagrams as long as the protocol allows, and empty ones', async () => {
      const { bind, backendTids, lendBackend, until, loopback, longest } = scene();
      const { socket: server, ear: atServer } = bind();
      const { socket: tid, ear } = lendBackend(backendTids(), server);
      for (const length of [longest, 0]) {
        tid.send(new Uint8Array(length).fill(0x61), server.port, loopback);
        server.send(new Uint8Array(length).fill(0x62), tid.port, loopback);
        const count = length === 0 ? 2 : 1;
        await until(() => ear.datagrams.length === count && atServer.datagrams.length === count);
      }
      expect(atServer.data.map((data) => data === 'a'.repeat(data.length) && data.length)).toEqual([
        longest,
        0,
      ]);
      expect(ear.data.map((data) => data === 'b'.repeat(data.length) && data.length)).toEqual([longest, 0]);
    });

    it('report what cannot be sent after the call, to the session alone that sent it, and go on', async () => {
      const { bind, backendTids, lendBackend, until, loopback, longest } = scene();
      const { socket: server, ear: atServer } = bind();
      const tids = backendTids();
      const [unlucky, other] = [lendBackend(tids, server), lendBackend(tids, server)];
      unlucky.socket.send(new Uint8Array(longest + 1), server.port, loopback);
      unlucky.socket.send(new Uint8Array(longest + 1), bind().socket.port, loopback);
      unlucky.socket.send(bytes('x'), 0, loopback);
      unlucky.socket.send(bytes('x'), 69, 'localhost');
      expect(unlucky.ear.errors).toEqual([]);
      other.socket.send(bytes('found'), server.port, loopback);
      await until(() => atServer.datagrams.length === 1 && unlucky.ear.errors.length === 4);
      const codes = unlucky.ear.errors.map(({ code }) => code);
      expect(codes.filter((code) => code === 'TLB_ERR_MESSAGE_TOO_LONG')).toHaveLength(2);
      expect(codes.filter((code) => code === 'TLB_ERR_SOCKET')).toHaveLength(2);
      expect([unlucky.ear.refusals, other.ear.refusals, other.ear.errors.length]).toEqual([0, 0, 0]);
      unlucky.socket.send(bytes('too'), server.port, loopback);
      await until(() => atServer.datagrams.length === 2);
    });
  });

  strangerContract(scene);
  backendCloseContract(scene);
}

function strangerContract(scene: () => TidScene): void {
  describe('strangers at a backend-facing TID', () => {
    it('get no answer as long as theirs may be the first reply, and ERROR from there afterwards', async (context) => {
      const { bind, backendTids, lendBackend, otherAddress, until, loopback } = scene();
      const address = otherAddress() ?? context.skip('this host has one IPv6 address');
      const door = new Door('unknown');
      const { socket: server } = bind();
      const { socket: stranger, ear: atStranger } = bind({ address });
      const { socket: tid, ear } = lendBackend(backendTids(door), server);
      stranger.send(bytes('too early'), tid.port, loopback);
      await until(() => door.strangers.length === 1);
      server.send(bytes('reply'), tid.port, loopback);
      await until(() => ear.datagrams.length === 1);
      tid.pinned(server.port);
      stranger.send(bytes('stray'), tid.port, loopback);
      await until(() => door.strangers.length === 2 && atStranger.datagrams.length === 1);
      const from = { address, port: stranger.port };
      expect(door.strangers).toEqual([
        { data: 'too early', from, answersFrom: 0 },
        { data: 'stray', from, answersFrom: tid.port },
      ]);
      expect(atStranger.datagrams.map(({ data, from }) => [data, from.port])).toEqual([
        ['unknown', tid.port],
      ]);
      expect(ear.data).toEqual(['reply']);
    });

    it('are none where the peer may answer from any address', async (context) => {
      const { bind, backendTids, lendBackend, otherAddress, until, loopback } = scene();
      const address = otherAddress() ?? context.skip('this host has one IPv6 address');
      const door = new Door('unknown');
      const { socket: server, ear: atServer } = bind();
      const { socket: elsewhere, ear: atElsewhere } = bind({ address });
      const tids = backendTids(door);
      const any = lendBackend(tids, server, new Ear(), true);
      const strict = lendBackend(tids, server);
      for (const { socket } of [any, strict]) {
        socket.send(bytes('request'), server.port, loopback);
        elsewhere.send(bytes('reply'), socket.port, loopback);
      }
      await until(() => any.ear.datagrams.length === 1 && door.strangers.length === 1);
      expect(any.ear.datagrams).toEqual([{ data: 'reply', from: { address, port: elsewhere.port } }]);
      expect(strict.ear.datagrams).toEqual([]);
      any.socket.pinned(elsewhere.port);
      any.socket.send(bytes('ack'), elsewhere.port, address);
      await until(() => atElsewhere.datagrams.length === 1 && atServer.datagrams.length === 2);
      expect(atElsewhere.data).toEqual(['ack']);
      for (const { socket } of [any, strict]) socket.close();
    });

    it('and refusals are heard where the peer may answer from any address', async () => {
      const { deadEndpoint, backendTids, lendBackend, until } = scene();
      const dead = deadEndpoint();
      const { socket: tid, ear } = lendBackend(backendTids(), dead, new Ear(), true);
      tid.send(bytes('request'), dead.port, dead.address);
      await until(() => ear.refusals === 1);
      tid.close();
    });
  });
}

function backendCloseContract(scene: () => TidScene): void {
  describe('closing a backend-facing TID', () => {
    it('ends everything for its session, and closing or pinning it again changes nothing', async () => {
      const { bind, backendTids, lendBackend, until, loopback, longest } = scene();
      const { socket: server, ear: atServer } = bind();
      const tids = backendTids();
      const { socket: tid, ear } = lendBackend(tids, server);
      server.send(bytes('on its way'), tid.port, loopback);
      tid.send(new Uint8Array(longest + 1), server.port, loopback);
      tid.close();
      tid.close();
      tid.pinned(server.port + 1);
      tid.send(bytes('x'), server.port, loopback);
      const other = lendBackend(tids, server);
      other.socket.send(bytes('later'), server.port, loopback);
      server.send(bytes('other'), other.socket.port, loopback);
      await until(() => atServer.datagrams.length > 0 && other.ear.data.includes('other'));
      expect(atServer.data).toEqual(['later']);
      expect([ear.datagrams, ear.errors, other.ear.errors]).toEqual([[], [], []]);
    });

    it('works from its own handler, with what it sent before still on its way', async () => {
      const { bind, backendTids, lendBackend, until, loopback } = scene();
      const { socket: server, ear: atServer } = bind();
      const tids = backendTids();
      const ear = new Ear((data, port, address) => {
        tid.send(data, port, address);
        tid.close();
      });
      const { socket: tid } = lendBackend(tids, server, ear);
      for (const text of ['one', 'two', 'three']) server.send(bytes(text), tid.port, loopback);
      await until(() => atServer.datagrams.length > 0);
      const other = lendBackend(tids, server);
      server.send(bytes('other'), other.socket.port, loopback);
      await until(() => other.ear.datagrams.length === 1);
      expect([ear.data, atServer.data, other.ear.data]).toEqual([['one'], ['one'], ['other']]);
    });

    it.each([false, true])('of all together leaves those that are lent (any address: %s)', async (any) => {
      const { bind, backendTids, lendBackend, until, loopback } = scene();
      const { socket: server, ear: atServer } = bind();
      const tids = backendTids();
      const { socket: tid, ear } = lendBackend(tids, server, new Ear(), any);
      tids.close();
      tids.close();
      tid.send(bytes('still'), server.port, loopback);
      server.send(bytes('here'), tid.port, loopback);
      await until(() => ear.datagrams.length === 1 && atServer.datagrams.length === 1);
      tid.close();
    });
  });
}
