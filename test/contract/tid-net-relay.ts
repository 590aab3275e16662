import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { Endpoint, TidSocket, UdpSocket } from '../../src/net/net.ts';
import { bytes, Ear } from './net-scene.ts';
import { burst, type TidScene } from './tid-scene.ts';

/** Bytes that differ from one flow and datagram to the next, of a length that does so too. */
function contentOf(flow: number, n: number): Uint8Array {
  const digest = createHash('sha256').update(`${flow} ${n}`).digest();
  const length = (flow * 37 + n * 101) % 500;
  const content = Buffer.alloc(4 + length, digest);
  content.writeUInt16BE(flow, 0);
  content.writeUInt16BE(n, 2);
  return content;
}

function textOf(content: Uint8Array): string {
  return Buffer.from(content).toString('latin1');
}

function contentsOf(flow: number, count: number): string[] {
  return Array.from({ length: count }, (_, n) => textOf(contentOf(flow, n)));
}

interface Flow {
  readonly client: UdpSocket;
  readonly atClient: Ear;
  readonly vip: UdpSocket;
  readonly backend: TidSocket;
}

/** A session that relays in both directions, each datagram from within the handler that hears it. */
function openFlow(
  scene: TidScene,
  tids: { vip: ReturnType<TidScene['vipTids']>; backend: ReturnType<TidScene['backendTids']> },
  server: Endpoint,
): Flow {
  const { socket: client, ear: atClient } = scene.bind();
  const { socket: vip } = scene.lendVip(
    tids.vip,
    client,
    new Ear((data) => backend.send(data, server.port, server.address)),
  );
  const { socket: backend } = scene.lendBackend(
    tids.backend,
    server,
    new Ear((data) => vip.send(data, client.port, client.address)),
  );
  return { client, atClient, vip, backend };
}

export function relayContract(scene: () => TidScene): void {
  describe('relaying from within handlers', () => {
    it('brings a burst there and back with its bytes, in order', async () => {
      const { bind, vipTids, backendTids, until } = scene();
      const echo = new Ear((data, port, address) => server.send(data, port, address));
      const { socket: server } = bind({ ear: echo });
      const { client, atClient, vip } = openFlow(scene(), { vip: vipTids(), backend: backendTids() }, server);
      for (let n = 0; n < burst; n++) client.send(contentOf(0, n), vip.port, vip.address);
      await until(() => atClient.datagrams.length === burst);
      expect(echo.data).toEqual(contentsOf(0, burst));
      expect(atClient.data).toEqual(contentsOf(0, burst));
    });

    it('keeps many sessions apart, each in its own order, more than one batch of them at a time', async () => {
      const { bind, vipTids, backendTids, until } = scene();
      const echo = new Ear((data, port, address) => server.send(data, port, address));
      const { socket: server } = bind({ ear: echo });
      const tids = { vip: vipTids(), backend: backendTids() };
      const flows = Array.from({ length: 80 }, () => openFlow(scene(), tids, server));
      const [rounds, perRound] = [3, 1];
      for (let round = 0; round < rounds; round++) {
        for (const [flow, { client, vip }] of flows.entries()) {
          client.send(contentOf(flow, round), vip.port, vip.address);
        }
        await until(() =>
          flows.every(({ atClient }) => atClient.datagrams.length === (round + 1) * perRound),
        );
      }
      for (const [flow, { atClient, vip }] of flows.entries()) {
        expect(atClient.data).toEqual(contentsOf(flow, rounds));
        expect(new Set(atClient.datagrams.map(({ from }) => from.port))).toEqual(new Set([vip.port]));
      }
    });

    it('to several destinations keeps the order of each, beside datagrams of their own', async () => {
      const { bind, vipTids, lendVip, backendTids, lendBackend, until, loopback } = scene();
      const servers = [0, 1, 2].map(() => bind());
      const backends = servers.map(({ socket }) => ({ peer: socket, ...lendBackend(backendTids(), socket) }));
      const { socket: client, ear: atClient } = bind();
      let heard = 0;
      const relaying = new Ear((data) => {
        for (const { socket, peer } of backends) {
          socket.send(bytes(`before ${heard}`), peer.port, peer.address);
          socket.send(data, peer.port, peer.address);
          socket.send(data.subarray(2), peer.port, peer.address);
        }
        vip.send(data, client.port, client.address);
        const [first] = backends;
        if (first) first.socket.send(data, first.peer.port, first.peer.address);
        heard += 1;
      });
      const { socket: vip } = lendVip(vipTids(), client, relaying);
      const count = 20;
      for (let n = 0; n < count; n++) client.send(contentOf(7, n), vip.port, loopback);
      await until(() => atClient.datagrams.length === count);
      await until(() =>
        servers.every(({ ear }, index) => ear.datagrams.length === (index === 0 ? 4 : 3) * count),
      );
      const contents = contentsOf(7, count);
      expect(atClient.data).toEqual(contents);
      for (const [index, { ear }] of servers.entries()) {
        const expected = contents.flatMap((content, n) => {
          const relayed = [`before ${n}`, content, content.slice(2)];
          return index === 0 ? relayed.concat(content) : relayed;
        });
        expect(ear.data).toEqual(expected);
      }
    });

    it('carries the longest datagrams and empty ones', async () => {
      const { bind, vipTids, backendTids, until, longest } = scene();
      const echo = new Ear((data, port, address) => server.send(data, port, address));
      const { socket: server } = bind({ ear: echo });
      const { client, atClient, vip } = openFlow(scene(), { vip: vipTids(), backend: backendTids() }, server);
      for (const [index, length] of [longest, 0, longest, 1].entries()) {
        client.send(new Uint8Array(length).fill(0x61 + index), vip.port, vip.address);
        await until(() => atClient.datagrams.length === index + 1);
      }
      expect(atClient.data.map((data) => [data.length, data.at(-1) ?? ''])).toEqual([
        [longest, 'a'],
        [0, ''],
        [longest, 'c'],
        [1, 'd'],
      ]);
    });

    it('takes back nothing of what was sent when the session closes', async () => {
      const { bind, vipTids, lendVip, backendTids, lendBackend, until, loopback } = scene();
      const { socket: server, ear: atServer } = bind();
      const { socket: client, ear: atClient } = bind();
      const [vips, backends] = [vipTids(), backendTids()];
      const ear = new Ear((data) => {
        backend.send(data, server.port, server.address);
        backend.close();
        vip.send(data, client.port, client.address);
        vip.close();
      });
      const { socket: vip } = lendVip(vips, client, ear);
      const { socket: backend } = lendBackend(backends, server);
      vips.close();
      backends.close();
      for (const text of ['last', 'late']) client.send(bytes(text), vip.port, loopback);
      await until(() => atServer.datagrams.length === 1 && atClient.datagrams.length === 1);
      expect([ear.data, atServer.data, atClient.data]).toEqual([['last'], ['last'], ['last']]);
    });

    it('opens sessions, and closes those of others, in the midst of a burst', async () => {
      const { bind, vipTids, lendVip, backendTids, lendBackend, until, loopback } = scene();
      const { socket: server, ear: atServer } = bind();
      const [vips, backends] = [vipTids(), backendTids()];
      const clients = Array.from({ length: 40 }, () => bind());
      const victims = clients.map(({ socket }) => lendVip(vips, socket));
      const listening = bind({
        ear: new Ear((data, port, address) => {
          for (const { socket } of victims.splice(0, 4)) socket.close();
          const { socket: backend } = lendBackend(backends, server);
          const { socket: vip } = lendVip(vips, { address, port });
          backend.send(data, server.port, server.address);
          vip.send(data, port, address);
        }),
      });
      for (const { socket } of clients) {
        for (const { socket: victim } of victims) socket.send(bytes('x'), victim.port, loopback);
        socket.send(bytes(`request ${socket.port}`), listening.socket.port, loopback);
      }
      await until(() => atServer.datagrams.length === clients.length);
      await until(() => clients.every(({ ear }) => ear.datagrams.length === 1));
      for (const { socket, ear } of clients) expect(ear.data).toEqual([`request ${socket.port}`]);
      expect(new Set(atServer.datagrams.map(({ from }) => from.port)).size).toBe(clients.length);
    });
  });
}
