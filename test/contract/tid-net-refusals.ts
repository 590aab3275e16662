import { describe, expect, it } from 'vitest';
import type { UdpSocket } from '../../src/net/net.ts';
import { bytes, Ear } from './net-scene.ts';
import type { TidScene } from './tid-scene.ts';

/** A server that sends back what it gets. */
function echoAt(scene: TidScene): { socket: UdpSocket; ear: Ear } {
  const ear = new Ear((data, port, address) => server.socket.send(data, port, address));
  const server = scene.bind({ ear });
  return server;
}

export function refusalContract(scene: () => TidScene): void {
  describe('a refusal', () => {
    it('of the request port is heard, each time, and the TID goes on', async () => {
      const { bind, backendTids, lendBackend, deadEndpoint, until } = scene();
      const dead = deadEndpoint();
      const { socket: tid, ear } = lendBackend(backendTids(), dead);
      tid.send(bytes('request'), dead.port, dead.address);
      await until(() => ear.refusals === 1);
      tid.send(bytes('request'), dead.port, dead.address);
      await until(() => ear.refusals === 2);
      const revived = bind({ port: dead.port });
      tid.send(bytes('request'), dead.port, dead.address);
      await until(() => revived.ear.datagrams.length === 1);
      expect([ear.refusals, ear.errors]).toEqual([2, []]);
    });

    it('comes after the call that sent the request', async () => {
      const { backendTids, lendBackend, deadEndpoint, until } = scene();
      const dead = deadEndpoint();
      const { socket: tid, ear } = lendBackend(backendTids(), dead);
      for (const text of ['1', '2', '3']) tid.send(bytes(text), dead.port, dead.address);
      expect(ear.refusals).toBe(0);
      await until(() => ear.refusals > 0);
    });

    it('of another port is not heard', async () => {
      const { bind, backendTids, lendBackend, deadEndpoint, until, loopback } = scene();
      const { socket: server } = bind();
      const { socket: tid, ear } = lendBackend(backendTids(), server);
      tid.send(bytes('x'), deadEndpoint().port, loopback);
      server.send(bytes('later'), tid.port, loopback);
      await until(() => ear.datagrams.length === 1);
      expect(ear.refusals + ear.errors.length).toBe(0);
    });

    it('is not heard once the TID is closed', async () => {
      const { backendTids, lendBackend, deadEndpoint, until } = scene();
      const dead = deadEndpoint();
      const tids = backendTids();
      const { socket: tid, ear } = lendBackend(tids, dead);
      for (const text of ['1', '2']) tid.send(bytes(text), dead.port, dead.address);
      tid.close();
      const { socket: later, ear: atLater } = lendBackend(tids, dead);
      later.send(bytes('request'), dead.port, dead.address);
      await until(() => atLater.refusals === 1);
      expect(ear.refusals).toBe(0);
    });

    it('is not heard once the TID is pinned to a new port, not even of what it sent before', async () => {
      const { backendTids, lendBackend, deadEndpoint, until } = scene();
      const dead = deadEndpoint();
      const tids = backendTids();
      const { socket: tid, ear } = lendBackend(tids, dead);
      for (const text of ['1', '2']) tid.send(bytes(text), dead.port, dead.address);
      tid.pinned(dead.port + 1);
      tid.send(bytes('request'), dead.port, dead.address);
      const { socket: later, ear: atLater } = lendBackend(tids, dead);
      later.send(bytes('request'), dead.port, dead.address);
      await until(() => atLater.refusals === 1);
      expect(ear.refusals + ear.errors.length).toBe(0);
    });

    it('may be answered by closing the TID, and by asking another backend', async () => {
      const { bind, backendTids, lendBackend, deadEndpoint, until } = scene();
      const tids = backendTids();
      const dead = deadEndpoint();
      const { socket: server, ear: atServer } = bind();
      const ear = new Ear();
      const refused = lendBackend(tids, dead, ear);
      ear.onRefused = () => {
        ear.refusals += 1;
        refused.socket.close();
        lendBackend(tids, server).socket.send(bytes('instead'), server.port, server.address);
      };
      for (const text of ['1', '2']) refused.socket.send(bytes(text), dead.port, dead.address);
      await until(() => atServer.datagrams.length > 0);
      expect([ear.refusals, atServer.data]).toEqual([1, ['instead']]);
    });

    it('reaches the sessions of that backend alone, and the others lose nothing', async () => {
      const { backendTids, lendBackend, deadEndpoint, until } = scene();
      const tids = backendTids();
      const server = echoAt(scene());
      const dead = Array.from({ length: 20 }, () => {
        const peer = deadEndpoint();
        return { peer, ...lendBackend(tids, peer) };
      });
      const alive = dead.map(() => lendBackend(tids, server.socket));
      let rounds = 0;
      // Systems limit how many refusals they tell in a row.
      for (; rounds < 3 || dead.some(({ ear }) => ear.refusals === 0); rounds++) {
        for (const [n, { socket, peer }] of dead.entries()) {
          socket.send(bytes('request'), peer.port, peer.address);
          alive[n]?.socket.send(bytes(`round ${rounds}`), server.socket.port, server.socket.address);
        }
        await until(() => alive.every(({ ear }) => ear.datagrams.length > rounds));
      }
      const expected = Array.from({ length: rounds }, (_, round) => `round ${round}`);
      for (const { ear } of alive) {
        expect(ear.data).toEqual(expected);
        expect([ear.refusals, ear.errors]).toEqual([0, []]);
      }
      for (const { ear } of dead) expect([ear.datagrams, ear.errors]).toEqual([[], []]);
    });
  });
}
