import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LinuxNet } from '../../../../src/linux/net/linux-net.ts';
import { closeListeningGroup, openListeningGroup } from '../../../../src/linux/net/listening-group.ts';
import { NetError, type UdpSocket } from '../../../../src/net/net.ts';
import { bytes, codeOf, Ear } from '../../../contract/net-scene.ts';
import { until } from '../../../helpers/processes.ts';
import { isLinuxSkipped, linuxLibc, openLinuxNet } from '../../../helpers/tid-nets.ts';
import { ownLoopback } from '../../../helpers/sockets.ts';

describe.skipIf(isLinuxSkipped)('a socket of all addresses', () => {
  let net: LinuxNet;
  let port: number;
  let group: ReturnType<typeof openListeningGroup>;
  const sockets: UdpSocket[] = [];
  const [one, other] = [ownLoopback(), ownLoopback()];

  beforeEach(() => {
    group = openListeningGroup(linuxLibc(), { address: '0.0.0.0', port: 0 }, 1);
    port = group[0]?.port ?? 0;
    net = openLinuxNet({ lent: group });
  });
  afterEach(() => {
    for (const socket of sockets.splice(0)) socket.close();
    net.close();
    closeListeningGroup(linuxLibc(), group);
  });

  function listen(address: string, ear: Ear = new Ear()): { socket: UdpSocket; ear: Ear } {
    const socket = net.bindUdp({ address, port }, ear);
    sockets.push(socket);
    return { socket, ear };
  }

  function client(): { socket: UdpSocket; ear: Ear } {
    const ear = new Ear();
    const socket = net.bindUdp({ address: ownLoopback(), port: 0 }, ear);
    sockets.push(socket);
    return { socket, ear };
  }

  it('is one for each address, and answers from the one that was asked, relayed or not', async () => {
    const answering = (answer: string): Ear =>
      new Ear((data, fromPort, address) => {
        const local = answer === one ? atOne : atOther;
        local.socket.send(data, fromPort, address);
        local.socket.send(bytes(answer), fromPort, address);
      });
    const atOne = listen(one, answering(one));
    const atOther = listen(other, answering(other));
    expect([atOne.socket.address, atOther.socket.address, atOne.socket.port]).toEqual([one, other, port]);
    const { socket, ear } = client();
    for (let round = 0; round < 20; round++) {
      socket.send(bytes(`${round}`), port, round % 2 === 0 ? one : other);
    }
    await until('all are answered', () => ear.datagrams.length === 40 || undefined);
    const rounds = Array.from({ length: 20 }, (_, round) => round);
    const expected = rounds.flatMap((round) => {
      const address = round % 2 === 0 ? one : other;
      return [`${round}`, address].map((data) => ({ data, from: { address, port } }));
    });
    expect(ear.datagrams).toEqual(expected);
    expect([atOne.ear.datagrams.length, atOther.ear.datagrams.length]).toEqual([10, 10]);
    socket.send(bytes('again'), port, one);
    await until('it has come', () => atOne.ear.datagrams.length === 11 || undefined);
    const from = { address: socket.address, port: socket.port };
    expect(new Set(atOne.ear.datagrams.map(({ from }) => JSON.stringify(from)))).toEqual(
      new Set([JSON.stringify(from)]),
    );
  });

  it('drops what was sent to an address that nobody listens at, one that was given up included', async () => {
    const atOne = listen(one);
    const atOther = listen(other);
    atOther.socket.close();
    atOther.socket.close();
    const { socket } = client();
    for (const address of [other, ownLoopback(), one]) socket.send(bytes(address), port, address);
    await until('what is listened for has come', () => atOne.ear.datagrams.length > 0 || undefined);
    atOther.socket.send(bytes('x'), socket.port, socket.address);
    const again = listen(other);
    for (const address of [other, one]) socket.send(bytes(address), port, address);
    await until('it is listened to again', () => again.ear.datagrams.length > 0 || undefined);
    await until('the first is too', () => atOne.ear.datagrams.length > 1 || undefined);
    expect([atOne.ear.data, atOther.ear.data, again.ear.data]).toEqual([[one, one], [], [other]]);
    expect([...atOne.ear.errors, ...again.ear.errors]).toEqual([]);
  });

  it('is had once for each address', () => {
    listen(one);
    expect(codeOf(() => listen(one))).toBe('TLB_ERR_ADDRESS_IN_USE');
    listen(other);
  });

  it('is not had for what is no address', () => {
    expect(codeOf(() => net.bindUdp({ address: 'localhost', port }, new Ear()))).toBe('TLB_ERR_SOCKET');
    expect(codeOf(() => net.bindUdp({ address: '', port }, new Ear()))).toBe('TLB_ERR_SOCKET');
  });

  it('tells the sender alone that a datagram cannot leave from its address', async () => {
    const [gone, here] = [listen('198.51.100.7'), listen(one)];
    const { socket, ear } = client();
    gone.socket.send(bytes('lost'), socket.port, socket.address);
    here.socket.send(bytes('found'), socket.port, socket.address);
    await until('the failure is told', () => gone.ear.errors.length === 1 || undefined);
    await until('the other one has come', () => ear.datagrams.length === 1 || undefined);
    expect(gone.ear.errors[0]).toBeInstanceOf(NetError);
    expect(gone.ear.errors[0]?.message).toContain('198.51.100.7');
    expect([ear.data, here.ear.errors]).toEqual([['found'], []]);
  });

  it('stays bound when the net is closed, and is served by the next one', async () => {
    const before = listen(one);
    const { socket } = client();
    const { address: from, port: fromPort } = socket;
    before.socket.close();
    for (const each of sockets.splice(0)) each.close();
    net.close();
    net = openLinuxNet({ lent: group });
    const sender = net.bindUdp({ address: from, port: fromPort }, new Ear());
    sockets.push(sender);
    sender.send(bytes('meanwhile'), port, one);
    const after = listen(one);
    await until('it has come', () => after.ear.datagrams.length > 0 || undefined);
    expect(after.ear.datagrams).toEqual([{ data: 'meanwhile', from: { address: from, port: fromPort } }]);
  });
});
