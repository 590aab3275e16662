import { afterEach, describe, expect, it } from 'vitest';
import { MessageBatch } from '../../../src/linux/message-batch.ts';
import { encodeName } from '../../../src/linux/name-codec.ts';
import { setOption } from '../../../src/linux/socket-options.ts';
import { bind, boundTo } from '../../../src/linux/sockets.ts';
import { steerBySource } from '../../../src/linux/source-steering.ts';
import type { Endpoint } from '../../../src/net/net.ts';
import { families, isElsewhere, loopback, SocketLab } from './kernel.ts';

const GROUP = 4;
const SENDERS = 3;

/** Each source has been heard by one member alone, as often as it has sent. */
function expectParted(members: readonly string[][], sources: readonly Uint8Array[]): void {
  const all = members.flatMap((addresses) => [...new Set(addresses)]);
  expect(all.toSorted()).toEqual(sources.map((source) => Buffer.from(source).toString('hex')).toSorted());
  expect(members.flat()).toHaveLength(sources.length * SENDERS);
}

/** Of 40 sources on 4 sockets none gets more than half, and none nothing. */
function expectSpread(members: readonly string[][]): void {
  for (const addresses of members) {
    expect(new Set(addresses).size).toBeGreaterThan(0);
    expect(new Set(addresses).size).toBeLessThan(21);
  }
}

describe.skipIf(isElsewhere)('steering by source address', () => {
  const lab = new SocketLab();
  afterEach(() => lab.close());

  /** Sockets that share one port, in the order of their binding. */
  function group(family: 4 | 6, address: string = loopback[family]): { sockets: number[]; at: Endpoint } {
    const sockets: number[] = [];
    let port = 0;
    for (let member = 0; member < GROUP; member++) {
      const fd = lab.open(family);
      setOption(lab.libc, fd, 'SO_REUSEPORT', 1);
      bind(lab.libc, fd, { address, port });
      port = boundTo(lab.libc, fd).port;
      sockets.push(fd);
    }
    return { sockets, at: { address: loopback[family], port } };
  }

  /** Sends once from each source, through several sockets, and so from several ports. */
  function sendFrom(family: 4 | 6, sources: readonly Uint8Array[], to: Endpoint): void {
    const batch = new MessageBatch(lab.libc, { slots: 1 });
    for (let sender = 0; sender < SENDERS; sender++) {
      const { fd } = lab.bound(family);
      if (family === 6) setOption(lab.libc, fd, 'IPV6_FREEBIND', 1);
      for (const source of sources) {
        batch.write(0, source);
        batch.peers.set(0, encodeName(lab.libc, to));
        if (family === 6) batch.locals.send6(0, source);
        else batch.locals.send4(0, Buffer.from(source).readUInt32BE());
        expect(batch.send(fd, 0, 1)).toBe(1);
      }
    }
  }

  /** For each member: the addresses that it has heard, one entry for each message. */
  function heard(sockets: readonly number[]): string[][] {
    const batch = new MessageBatch(lab.libc, { slots: 64, slotSize: 64 });
    return sockets.map((fd) => {
      const sources: string[] = [];
      for (let count = batch.receive(fd); count > 0; count = batch.receive(fd)) {
        for (let index = 0; index < count; index++) {
          sources.push(Buffer.from(batch.data(index).subarray(0, batch.length(index))).toString('hex'));
        }
      }
      return sources;
    });
  }

  it('takes an IPv4 address to one socket, whatever its port, and spreads neighbours', () => {
    const { sockets, at } = group(4);
    steerBySource(lab.libc, sockets[2] ?? -1, GROUP);
    const sources = Array.from({ length: 40 }, (_, last) => Uint8Array.of(127, 0, 0, last + 1));
    sendFrom(4, sources, at);
    const members = heard(sockets);
    expectParted(members, sources);
    expectSpread(members);
  });

  it.each([4, 64, 256])('spreads IPv4 addresses that are %i apart', (distance) => {
    const { sockets, at } = group(4);
    steerBySource(lab.libc, sockets[0] ?? -1, GROUP);
    const sources = Array.from({ length: 40 }, (_, index) => {
      const address = index * distance + 1;
      return Uint8Array.of(127, 1, address >>> 8, address & 0xff);
    });
    sendFrom(4, sources, at);
    expectSpread(heard(sockets));
  });

  const ipv6Plans: readonly (readonly [string, (index: number) => string])[] = [
    ['neighbours', (index) => `2001:db8::${index.toString(16)}`],
    ['hosts of many networks', (index) => `2001:db8:0:${index.toString(16)}::1`],
    ['addresses with the same number twice', (index) => `2001:db8:0:${index}::${index}`],
  ];

  it.skipIf(!families.includes(6)).each(ipv6Plans)(
    'takes IPv6 addresses to one socket each and spreads %s',
    (_, plan) => {
      const { sockets, at } = group(6);
      steerBySource(lab.libc, sockets[0] ?? -1, GROUP);
      const texts = Array.from({ length: 40 }, (_, index) => plan(index + 1));
      const sources = texts.map((address) => encodeName(lab.libc, { address, port: 0 }).subarray(8, 24));
      sendFrom(6, sources, at);
      const members = heard(sockets);
      expectParted(members, sources);
      expectSpread(members);
    },
  );

  it.skipIf(!families.includes(6))('reads the addresses of both families on a socket that takes both', () => {
    const { sockets, at } = group(6, '::');
    steerBySource(lab.libc, sockets[0] ?? -1, GROUP);
    const sources = Array.from({ length: 40 }, (_, last) => Uint8Array.of(127, 0, 2, last + 1));
    sendFrom(4, sources, { address: '127.0.0.1', port: at.port });
    const members = heard(sockets);
    expectParted(members, sources);
    expectSpread(members);
  });

  it('takes everything to the only socket of a group of one', () => {
    const { sockets, at } = group(4);
    steerBySource(lab.libc, sockets[0] ?? -1, 1);
    const sources = Array.from({ length: 8 }, (_, last) => Uint8Array.of(127, 0, 0, last + 1));
    sendFrom(4, sources, at);
    expect(heard(sockets).map((addresses) => addresses.length)).toEqual([8 * SENDERS, 0, 0, 0]);
  });

  it.each([0, -1, 1.5, 65_536, Number.NaN])('refuses a group of %d', (sockets) => {
    const { fd } = lab.bound(4);
    expect(() => steerBySource(lab.libc, fd, sockets)).toThrow(RangeError);
  });

  it('needs a socket that may be one of a group', () => {
    const { fd } = lab.bound(4);
    expect(() => steerBySource(lab.libc, fd, 2)).toThrow(/^setsockopt SO_ATTACH_REUSEPORT_CBPF: EINVAL/u);
  });
});
