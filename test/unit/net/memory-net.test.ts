import { describe, expect, it } from 'vitest';
import type { MemoryHost } from '../../../src/net/memory-host.ts';
import { MemoryNet, type MemoryNetOptions } from '../../../src/net/memory-net.ts';
import type { Endpoint, NetError, TidSocket, UdpSocket } from '../../../src/net/net.ts';

const serverAt = { address: '192.0.2.2', port: 69 };
const bytes = (text: string): Uint8Array => Buffer.from(text);

interface Heard {
  readonly data: string[];
  readonly from: Endpoint[];
  readonly errors: NetError[];
  /** Moments, counted from the start. */
  readonly refusals: number[];
}

/** A client with a TID towards a server that listens on port 69, on two hosts. */
class Pair {
  readonly net: MemoryNet;
  readonly client: MemoryHost;
  readonly server: MemoryHost;
  readonly listener: UdpSocket;
  readonly atServer: Heard = { data: [], from: [], errors: [], refusals: [] };
  readonly tid: TidSocket;
  readonly atClient: Heard = { data: [], from: [], errors: [], refusals: [] };
  readonly #start: number;

  constructor(options: Partial<MemoryNetOptions> = {}) {
    this.net = new MemoryNet({ seed: 1, ...options });
    this.#start = this.net.now();
    this.client = this.net.host(['192.0.2.1']);
    this.server = this.net.host(['192.0.2.2']);
    this.listener = this.server.bindUdp({ address: '0.0.0.0', port: 69 }, this.#ear(this.atServer));
    this.tid = this.client.openTid(serverAt, this.#ear(this.atClient));
  }

  request(text = 'request'): void {
    this.tid.send(bytes(text), serverAt.port, serverAt.address);
  }

  #ear(heard: Heard) {
    return {
      onDatagram: (data: Uint8Array, port: number, address: string) => {
        heard.data.push(Buffer.from(data).toString());
        heard.from.push({ address, port });
      },
      onError: (error: NetError) => heard.errors.push(error),
      onRefused: () => heard.refusals.push(this.net.now() - this.#start),
    };
  }
}

/** All that a run over a bad link shows. */
function traceOf(seed: number): string[] {
  const pair = new Pair({
    seed,
    link: { loss: 0.1, duplication: 0.1, reordering: 0.1, minDelay: 1, maxDelay: 9 },
  });
  const trace: string[] = [`${pair.tid.port} ${pair.client.random()} ${pair.server.random()}`];
  pair.net.addFilter(({ data }) => {
    trace.push(`${pair.net.now()} ${Buffer.from(data).toString()}`);
    return 'pass';
  });
  for (let round = 0; round < 100; round++) pair.request(`${round}`);
  pair.net.runUntilIdle();
  return [...trace, ...pair.atServer.data];
}

describe('MemoryNet', () => {
  it('carries datagrams between hosts after the delay of the link', () => {
    const pair = new Pair({ link: { minDelay: 10, maxDelay: 10 } });
    pair.request();
    pair.net.advance(9.9);
    expect(pair.atServer.data).toEqual([]);
    pair.net.advance(0.2);
    expect(pair.atServer.data).toEqual(['request']);
    expect(pair.atServer.from).toEqual([{ address: '192.0.2.1', port: pair.tid.port }]);
  });

  it('hands out data that nobody may keep', () => {
    const pair = new Pair();
    const kept: Uint8Array[] = [];
    const keeper = pair.server.bindUdp(
      { address: '192.0.2.2', port: 70 },
      { onDatagram: (data) => kept.push(data), onError: () => undefined },
    );
    pair.tid.send(bytes('request'), keeper.port, keeper.address);
    pair.net.runUntilIdle();
    expect(kept.map((data) => data.length)).toEqual([7]);
    expect(Buffer.from(kept[0] ?? []).toString()).not.toBe('request');
  });

  it('prefers the socket of just one address to that of all', () => {
    const pair = new Pair();
    pair.server.setAddresses(['192.0.2.2', '192.0.2.3']);
    pair.listener.close();
    const heard: string[] = [];
    for (const [address, port] of [
      ['192.0.2.3', 69],
      ['0.0.0.0', 70],
      ['192.0.2.2', 69],
    ] as const) {
      const onDatagram = (data: Uint8Array) => heard.push(`${address}: ${Buffer.from(data).toString()}`);
      pair.server.bindUdp({ address, port }, { onDatagram, onError: () => undefined });
    }
    pair.request('a');
    pair.tid.send(bytes('b'), 69, '192.0.2.3');
    pair.tid.send(bytes('c'), 70, '192.0.2.3');
    pair.net.runUntilIdle();
    expect(heard).toEqual(['192.0.2.2: a', '192.0.2.3: b', '0.0.0.0: c']);
  });

  describe('refusals', () => {
    it('reach the TID after the way there and back', () => {
      const pair = new Pair({ link: { minDelay: 10, maxDelay: 10 } });
      pair.listener.close();
      pair.request();
      pair.net.runUntilIdle();
      expect(pair.atClient.refusals).toEqual([20]);
    });

    it('come from hosts that are gone and from addresses that nobody has', () => {
      const pair = new Pair({ link: { minDelay: 10, maxDelay: 10 } });
      pair.server.state = 'gone';
      pair.request();
      pair.net.advance(100);
      pair.server.state = 'up';
      pair.server.setAddresses([]);
      pair.request();
      pair.net.runUntilIdle();
      expect(pair.atClient.refusals).toEqual([20, 120]);
      expect(pair.atServer.data).toEqual([]);
    });

    it('are lost as other packets are', () => {
      const pair = new Pair({ link: { loss: 0.5 } });
      pair.listener.close();
      for (let round = 0; round < 1000; round++) pair.request();
      pair.net.runUntilIdle();
      expect(pair.atClient.refusals.length).toBeGreaterThan(150);
      expect(pair.atClient.refusals.length).toBeLessThan(350);
    });
  });

  it('lets a silent host hear nothing and say nothing', () => {
    const pair = new Pair({ link: { minDelay: 10, maxDelay: 10 } });
    pair.server.state = 'gone';
    pair.request('refused');
    pair.client.state = 'silent';
    pair.net.runUntilIdle();
    pair.client.state = 'up';
    pair.server.state = 'silent';
    pair.request();
    pair.listener.send(bytes('reply'), pair.tid.port, '192.0.2.1');
    pair.net.runUntilIdle();
    expect([pair.atServer.data, pair.atClient.data, pair.atClient.refusals]).toEqual([[], [], []]);
    pair.server.state = 'up';
    pair.request('again');
    pair.net.runUntilIdle();
    expect(pair.atServer.data).toEqual(['again']);
  });

  it('shows every datagram to the filters, and drops what one of them drops', () => {
    const pair = new Pair();
    const seen: string[] = [];
    const remove = pair.net.addFilter(({ from, to, data }) => {
      seen.push(`${from.address} to ${to.address} port ${to.port}: ${Buffer.from(data).toString()}`);
      return data.length > 1 ? 'drop' : 'pass';
    });
    pair.request('long');
    pair.request('s');
    pair.net.runUntilIdle();
    remove();
    pair.request('long again');
    pair.net.runUntilIdle();
    expect(seen).toEqual(['192.0.2.1 to 192.0.2.2 port 69: long', '192.0.2.1 to 192.0.2.2 port 69: s']);
    expect(pair.atServer.data).toEqual(['s', 'long again']);
  });

  it('repeats itself with the same seed, and not with another', () => {
    expect(traceOf(1)).toEqual(traceOf(1));
    expect(traceOf(1)).not.toEqual(traceOf(2));
  });

  it('lets addresses move between hosts under open sockets', () => {
    const pair = new Pair();
    const standby = pair.net.host(['192.0.2.9']);
    expect(() => standby.setAddresses(['192.0.2.9', '192.0.2.2'])).toThrow(RangeError);
    expect(standby.localAddresses().map(({ address }) => address)).toEqual(['192.0.2.9']);
    pair.server.setAddresses([]);
    standby.setAddresses(['192.0.2.9', '192.0.2.2']);
    const heard: string[] = [];
    const onDatagram = (data: Uint8Array) => heard.push(Buffer.from(data).toString());
    standby.bindUdp(serverAt, { onDatagram, onError: () => undefined });
    pair.request();
    pair.net.runUntilIdle();
    expect([heard, pair.atServer.data]).toEqual([['request'], []]);
  });

  it('tells a sender without an address of the family that no route leads there', () => {
    const pair = new Pair();
    pair.client.setAddresses(['fd00::1']);
    pair.request();
    pair.net.runUntilIdle();
    expect(pair.atClient.errors.map((error) => error.code)).toEqual(['TLB_ERR_UNREACHABLE']);
  });

  it('runs out of descriptors and of ports as a host does', () => {
    const net = new MemoryNet({ seed: 1 });
    const host = net.host(['192.0.2.1']);
    const ignore = { onDatagram: () => undefined, onError: () => undefined, onRefused: () => undefined };
    const bind = () => host.bindUdp({ address: '0.0.0.0', port: 0 }, ignore);

    host.descriptorLimit = 3;
    const tid = host.openTid(serverAt, ignore);
    const last = bind();
    expect(bind).toThrow(expect.objectContaining({ code: 'TLB_ERR_NO_DESCRIPTORS' }));
    tid.pinned(serverAt.port);
    expect(bind).toThrow(expect.objectContaining({ code: 'TLB_ERR_NO_DESCRIPTORS' }));
    tid.pinned(5000);
    bind();
    last.close();
    expect(() => host.openTid(serverAt, ignore)).toThrow(
      expect.objectContaining({ code: 'TLB_ERR_NO_DESCRIPTORS' }),
    );

    host.descriptorLimit = Infinity;
    const ports = new Set(Array.from({ length: 28_230 }, () => bind().port));
    expect(ports.size).toBe(28_230);
    expect(bind).toThrow(expect.objectContaining({ code: 'TLB_ERR_NO_PORTS' }));
  });

  it('counts what is still open', () => {
    const pair = new Pair();
    expect(pair.net.openSockets).toBe(2);
    pair.tid.close();
    pair.tid.close();
    expect(pair.net.openSockets).toBe(1);
    pair.listener.close();
    expect(pair.net.openSockets).toBe(0);
  });
});
