import { describe, expect, it } from 'vitest';
import { bytes, codeOf, Ear } from './net-scene.ts';
import { Door, type TidScene } from './tid-scene.ts';

export function vipContract(scene: () => TidScene): void {
  describe('VIP TIDs', () => {
    it('are on the VIP, and speak with the client that they were lent for', async () => {
      const { bind, vipTids, lendVip, until, loopback } = scene();
      const { socket: client, ear: atClient } = bind();
      const { socket: tid, ear } = lendVip(vipTids(), client);
      expect(tid.address).toBe(loopback);
      for (const text of ['one', '', '\0\xff']) client.send(bytes(text), tid.port, loopback);
      await until(() => ear.datagrams.length === 3);
      const from = { address: loopback, port: client.port };
      expect(ear.datagrams).toEqual(['one', '', '\0\xff'].map((data) => ({ data, from })));
      tid.send(bytes('answer'), client.port, loopback);
      await until(() => atClient.datagrams.length === 1);
      expect(atClient.datagrams).toEqual([{ data: 'answer', from: { address: loopback, port: tid.port } }]);
    });

    it('tell of strangers, who are answered from there, and the session does not notice', async () => {
      const { bind, vipTids, lendVip, until, loopback } = scene();
      const door = new Door('unknown');
      const [{ socket: client }, { socket: stranger, ear: atStranger }] = [bind(), bind()];
      const { socket: tid, ear } = lendVip(vipTids(undefined, door), client);
      stranger.send(bytes('stray'), tid.port, loopback);
      client.send(bytes('mine'), tid.port, loopback);
      await until(() => atStranger.datagrams.length === 1 && ear.datagrams.length === 1);
      const from = { address: loopback, port: stranger.port };
      expect(door.strangers).toEqual([{ data: 'stray', from, answersFrom: tid.port }]);
      expect(atStranger.datagrams).toEqual([
        { data: 'unknown', from: { address: loopback, port: tid.port } },
      ]);
      expect([ear.data, ear.errors]).toEqual([['mine'], []]);
    });

    it('take the same port of another address for a stranger', async (context) => {
      const { bind, vipTids, lendVip, otherAddress, until, loopback } = scene();
      const address = otherAddress() ?? context.skip('this host has one IPv6 address');
      const door = new Door();
      const { socket: client } = bind();
      const { socket: alike } = bind({ address, port: client.port });
      const { socket: tid, ear } = lendVip(vipTids(undefined, door), client);
      alike.send(bytes('stray'), tid.port, loopback);
      client.send(bytes('mine'), tid.port, loopback);
      await until(() => door.strangers.length === 1 && ear.datagrams.length === 1);
      expect(door.strangers[0]?.from).toEqual({ address, port: client.port });
      expect(ear.data).toEqual(['mine']);
    });

    it('differ between the sessions of one client, each of which hears what came to its own', async () => {
      const { bind, vipTids, lendVip, until, loopback } = scene();
      const { socket: client } = bind();
      const tids = vipTids();
      const sessions = Array.from({ length: 100 }, () => lendVip(tids, client));
      expect(new Set(sessions.map(({ socket }) => socket.port)).size).toBe(100);
      for (const { socket } of sessions) client.send(bytes(`to ${socket.port}`), socket.port, loopback);
      await until(() => sessions.every(({ ear }) => ear.datagrams.length > 0));
      for (const { socket, ear } of sessions) expect(ear.data).toEqual([`to ${socket.port}`]);
    });

    it('hear their own client alone, however many there are', async () => {
      const { bind, vipTids, lendVip, until, loopback } = scene();
      const door = new Door();
      const tids = vipTids(undefined, door);
      const sessions = Array.from({ length: 100 }, () => {
        const { socket: client, ear: atClient } = bind();
        return { client, atClient, ...lendVip(tids, client) };
      });
      for (const { client, socket } of sessions) {
        client.send(bytes(`from ${client.port}`), socket.port, loopback);
        socket.send(bytes(`for ${client.port}`), client.port, loopback);
      }
      await until(() =>
        sessions.every(({ ear, atClient }) => ear.datagrams.length > 0 && atClient.datagrams.length > 0),
      );
      for (const { client, ear, atClient, socket } of sessions) {
        expect(ear.data).toEqual([`from ${client.port}`]);
        expect(atClient.datagrams).toEqual([
          { data: `for ${client.port}`, from: { address: loopback, port: socket.port } },
        ]);
      }
      expect(door.strangers).toEqual([]);
    });

    it('hear every datagram as long as the protocol allows, and send such', async () => {
      const { bind, vipTids, lendVip, until, loopback, longest } = scene();
      const { socket: client, ear: atClient } = bind();
      const { socket: tid, ear } = lendVip(vipTids(), client);
      client.send(new Uint8Array(longest).fill(0x61), tid.port, loopback);
      await until(() => ear.datagrams.length === 1);
      tid.send(new Uint8Array(longest).fill(0x62), client.port, loopback);
      await until(() => atClient.datagrams.length === 1);
      expect(ear.data[0] === 'a'.repeat(longest)).toBe(true);
      expect(atClient.data[0] === 'b'.repeat(longest)).toBe(true);
    });

    it('report what cannot be sent after the call, to the session alone that sent it, and go on', async () => {
      const { bind, vipTids, lendVip, until, loopback, longest, otherLoopback } = scene();
      const { socket: client, ear: atClient } = bind();
      const tids = vipTids();
      const [unlucky, other] = [lendVip(tids, client), lendVip(tids, bind().socket)];
      unlucky.socket.send(new Uint8Array(longest + 1), client.port, loopback);
      unlucky.socket.send(new Uint8Array(70_000), client.port, loopback);
      for (const port of [0, 65_536, 1.5, Number.NaN]) unlucky.socket.send(bytes('x'), port, loopback);
      for (const address of ['localhost', '', otherLoopback]) {
        unlucky.socket.send(bytes('x'), client.port, address);
      }
      expect(unlucky.ear.errors).toEqual([]);
      other.socket.send(bytes('found'), client.port, loopback);
      await until(() => atClient.datagrams.length === 1 && unlucky.ear.errors.length === 9);
      const codes = unlucky.ear.errors.map(({ code }) => code);
      expect(codes.filter((code) => code === 'TLB_ERR_MESSAGE_TOO_LONG')).toHaveLength(2);
      expect(unlucky.ear.errors.filter(({ closed }) => closed)).toEqual([]);
      expect(other.ear.errors).toEqual([]);
      unlucky.socket.send(bytes('too'), client.port, loopback);
      await until(() => atClient.datagrams.length === 2);
      expect(atClient.data).toEqual(['found', 'too']);
    });

    it('are not to be had on an address that the host does not have', () => {
      const { net, bind, foreign } = scene();
      const tids = net.vipTids({ address: foreign, ports: undefined }, () => undefined);
      const { socket: client } = bind();
      expect(codeOf(() => tids.lend(client, new Ear(), undefined))).toBe('TLB_ERR_ADDRESS_NOT_LOCAL');
    });
  });

  vipRangeContract(scene);
  vipCloseContract(scene);
}

function vipRangeContract(scene: () => TidScene): void {
  describe('VIP TIDs of a range', () => {
    it('are within it, all of it for one client, and one that is given back is lent again', () => {
      const { bind, vipTids, lendVip, freeRange } = scene();
      const { socket: client } = bind();
      const { first, last } = freeRange(5);
      const tids = vipTids({ first, last });
      const lent = Array.from({ length: 5 }, () => lendVip(tids, client));
      const ports = lent.map(({ socket }) => socket.port).sort((a, b) => a - b);
      expect(ports).toEqual([0, 1, 2, 3, 4].map((offset) => first + offset));
      expect(codeOf(() => lendVip(tids, client))).toBe('TLB_ERR_NO_PORTS');
      lent[3]?.socket.close();
      const again = lendVip(tids, client);
      expect(again.socket.port).toBe(lent[3]?.socket.port);
      expect(codeOf(() => lendVip(tids, client))).toBe('TLB_ERR_NO_PORTS');
      for (const { socket } of [...lent, again]) socket.close();
      const all = Array.from({ length: 5 }, () => lendVip(tids, client).socket.port);
      expect(new Set(all)).toEqual(new Set(ports));
    });

    it('are not those that another socket holds, for as long as it does', () => {
      const { bind, vipTids, lendVip, freeRange } = scene();
      const { socket: client } = bind();
      const { first, last } = freeRange(3);
      const holders = [first, last].map((port) => bind({ port }).socket);
      const tids = vipTids({ first, last });
      expect(lendVip(tids, client).socket.port).toBe(first + 1);
      for (let tries = 0; tries < 3; tries++) {
        expect(codeOf(() => lendVip(tids, client))).toBe('TLB_ERR_NO_PORTS');
      }
      for (const holder of holders) holder.close();
      const ports = [1, 2].map(() => lendVip(tids, client).socket.port);
      expect(ports.sort((a, b) => a - b)).toEqual([first, last]);
    });

    it('come in no order that could be guessed', () => {
      const { bind, vipTids, lendVip, freeRange } = scene();
      const range = freeRange(200);
      const firsts = Array.from({ length: 8 }, () => lendVip(vipTids(range), bind().socket).socket.port);
      expect(new Set(firsts).size).toBe(8);
      expect(firsts.some((port, index) => port < (firsts[index - 1] ?? 0))).toBe(true);
      expect(firsts.some((port, index) => port > (firsts[index - 1] ?? 65_536))).toBe(true);
    });
  });
}

function vipCloseContract(scene: () => TidScene): void {
  describe('closing a VIP TID', () => {
    it('ends everything for its session: what is on its way, what is sent later, and errors', async () => {
      const { bind, vipTids, lendVip, until, loopback, longest } = scene();
      const { socket: client, ear: atClient } = bind();
      const tids = vipTids();
      const { socket: tid, ear } = lendVip(tids, client);
      client.send(bytes('on its way'), tid.port, loopback);
      tid.send(new Uint8Array(longest + 1), client.port, loopback);
      tid.send(bytes('x'), 0, loopback);
      tid.close();
      tid.close();
      tid.send(bytes('x'), client.port, loopback);
      const other = lendVip(tids, client);
      other.socket.send(bytes('later'), client.port, loopback);
      client.send(bytes('other'), other.socket.port, loopback);
      await until(() => atClient.datagrams.length > 0 && other.ear.data.includes('other'));
      expect(atClient.data).toEqual(['later']);
      expect([ear.datagrams, ear.errors, other.ear.errors]).toEqual([[], [], []]);
    });

    it('works from its own handler, and leaves the others alone', async () => {
      const { bind, vipTids, lendVip, until, loopback } = scene();
      const { socket: client } = bind();
      const tids = vipTids();
      const closing = lendVip(tids, client, new Ear(() => closing.socket.close()));
      const other = lendVip(tids, client);
      for (const text of ['one', 'two', 'three']) client.send(bytes(text), closing.socket.port, loopback);
      client.send(bytes('four'), other.socket.port, loopback);
      await until(() => closing.ear.datagrams.length > 0 && other.ear.datagrams.length > 0);
      client.send(bytes('five'), other.socket.port, loopback);
      await until(() => other.ear.datagrams.length === 2);
      expect([closing.ear.data, other.ear.data]).toEqual([['one'], ['four', 'five']]);
    });

    it('again is no end of the session that has it now', async () => {
      const { bind, vipTids, lendVip, freeRange, until, loopback } = scene();
      const { socket: client } = bind();
      const { first } = freeRange(1);
      const tids = vipTids({ first, last: first });
      const { socket: old } = lendVip(tids, client);
      old.close();
      const { socket: tid, ear } = lendVip(tids, client);
      old.close();
      old.send(bytes('x'), client.port, loopback);
      client.send(bytes('mine'), tid.port, loopback);
      await until(() => ear.datagrams.length === 1);
      expect(codeOf(() => lendVip(tids, client))).toBe('TLB_ERR_NO_PORTS');
    });

    it('of all together leaves those that are lent, and then no port', async () => {
      const { bind, vipTids, lendVip, freeRange, until, loopback } = scene();
      const { socket: client, ear: atClient } = bind();
      const { first, last } = freeRange(2);
      const tids = vipTids({ first, last });
      const sessions = [1, 2].map(() => lendVip(tids, client));
      tids.close();
      tids.close();
      for (const { socket } of sessions) {
        client.send(bytes('still'), socket.port, loopback);
        socket.send(bytes('here'), client.port, loopback);
      }
      await until(() => atClient.datagrams.length === 2);
      await until(() => sessions.every(({ ear }) => ear.datagrams.length === 1));
      for (const { socket } of sessions) socket.close();
      for (const port of [first, last]) bind({ port });
    });
  });
}
