import { afterEach, describe, expect, it } from 'vitest';
import type { LinuxNet } from '../../../../src/linux/net/linux-net.ts';
import { closeListeningGroup, openListeningGroup } from '../../../../src/linux/net/listening-group.ts';
import type { Endpoint, UdpSocket } from '../../../../src/net/net.ts';
import { bytes, codeOf, Ear } from '../../../contract/net-scene.ts';
import { hasIpv6 } from '../../../contract/real-world.ts';
import { openSockets } from '../../../helpers/descriptors.ts';
import { until } from '../../../helpers/processes.ts';
import { isLinuxSkipped, linuxLibc, openLinuxNet } from '../../../helpers/tid-nets.ts';
import { ownLoopback } from '../../../helpers/sockets.ts';

const families = hasIpv6 ? ([4, 6] as const) : ([4] as const);

describe.skipIf(isLinuxSkipped).each(families)('a group of listening sockets, IPv%i', (family) => {
  const closers: (() => void)[] = [];
  afterEach(() => {
    for (const close of closers.splice(0).toReversed()) close();
  });

  const address = (): string => (family === 4 ? ownLoopback() : '::1');

  function openGroup(at: Endpoint, threads: number): ReturnType<typeof openListeningGroup> {
    const group = openListeningGroup(linuxLibc(), at, threads);
    closers.push(() => closeListeningGroup(linuxLibc(), group));
    return group;
  }

  function openNet(options: Parameters<typeof openLinuxNet>[0] = {}): LinuxNet {
    const net = openLinuxNet(options);
    closers.push(() => net.close());
    return net;
  }

  function bind(net: LinuxNet, at: Endpoint, ear: Ear = new Ear()): UdpSocket {
    const socket = net.bindUdp(at, ear);
    closers.push(() => socket.close());
    return socket;
  }

  it('has one member for each thread, and each source is heard by one of them', async () => {
    const group = openGroup({ address: address(), port: 0 }, 3);
    const [first] = group;
    expect(group).toHaveLength(3);
    expect(new Set(group.map(({ port }) => port)).size).toBe(1);
    const ears = group.map((lent) => {
      const ear = new Ear();
      expect(bind(openNet({ lent: [lent] }), lent, ear).port).toBe(first?.port);
      return ear;
    });
    const net = openNet();
    // IPv6 has one loopback address, and steering is by address.
    const sources = Array.from({ length: family === 4 ? 30 : 1 }, () =>
      bind(net, { address: address(), port: 0 }),
    );
    for (const round of ['one', 'two']) {
      for (const [n, source] of sources.entries())
        source.send(bytes(`${n} ${round}`), first?.port ?? 0, first?.address ?? '');
    }
    const heard = (): string[][] => ears.map(({ data }) => data);
    await until('all have come', () => heard().flat().length === 2 * sources.length || undefined);
    for (const n of sources.keys()) {
      const places = ['one', 'two'].map((round) =>
        heard().findIndex((data) => data.includes(`${n} ${round}`)),
      );
      expect(places[0]).toBe(places[1]);
    }
    if (family === 4) expect(Math.min(...heard().map(({ length }) => length))).toBeGreaterThan(0);
  });

  it('keeps what comes for a thread that is gone until another one takes its place', async () => {
    const group = openGroup({ address: address(), port: 0 }, 2);
    const [first] = group;
    if (!first) throw new Error('an empty group');
    const serve = (lent: (typeof group)[number]): { net: LinuxNet; ear: Ear; socket: UdpSocket } => {
      const [net, ear] = [openLinuxNet({ lent: [lent] }), new Ear()];
      return { net, ear, socket: net.bindUdp(lent, ear) };
    };
    const serving = group.map((lent) => serve(lent));
    const sender = bind(openNet(), { address: address(), port: 0 });
    sender.send(bytes('one'), first.port, first.address);
    const heardBy = (): number => serving.findIndex(({ ear }) => ear.datagrams.length > 0);
    await until('it has come', () => heardBy() >= 0 || undefined);
    const index = heardBy();
    const dying = serving[index];
    dying?.socket.close();
    dying?.net.close();
    sender.send(bytes('two'), first.port, first.address);
    const lent = group[index];
    if (!lent) throw new Error('no such member');
    const successor = serve(lent);
    await until('it has come', () => successor.ear.datagrams.length > 0 || undefined);
    expect(successor.ear.data).toEqual(['two']);
    for (const each of [successor, serving[1 - index]]) {
      each?.socket.close();
      each?.net.close();
    }
  });

  it('is told that a port is in use, also by one who would share it', () => {
    const [holder] = openGroup({ address: address(), port: 0 }, 2);
    const before = openSockets();
    expect(codeOf(() => openGroup(holder ?? { address: '', port: 0 }, 2))).toBe('TLB_ERR_ADDRESS_IN_USE');
    expect(codeOf(() => openGroup({ address: 'no address', port: 0 }, 2))).toBe('TLB_ERR_SOCKET');
    expect(openSockets()).toBe(before);
  });

  it('is gone with its last descriptor', () => {
    const before = openSockets();
    const group = openListeningGroup(linuxLibc(), { address: address(), port: 0 }, 4);
    expect(openSockets()).toBe(before + 4);
    closeListeningGroup(linuxLibc(), group);
    expect(openSockets()).toBe(before);
    const [first] = group;
    bind(openNet(), { address: first?.address ?? '', port: first?.port ?? 0 });
  });
});
