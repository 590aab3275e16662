import { execFileSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { existsSync, readdirSync, readlinkSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Net, TidHandlers, TidSocket, UdpSocket } from '../../../src/net/net.ts';
import { createNodeNet } from '../../../src/net/node-net.ts';
import { createPortTable, PortAllocator } from '../../../src/net/port-allocator.ts';

const deaf: TidHandlers = {
  onDatagram: () => undefined,
  onError: () => undefined,
  onRefused: () => undefined,
};
const peer = { address: '127.0.0.1', port: 9 };

function isSocket(descriptor: string): boolean {
  try {
    return readlinkSync(`/proc/self/fd/${descriptor}`).startsWith('socket:');
  } catch {
    return false;
  }
}

const openDescriptors = (): number => readdirSync('/proc/self/fd').filter(isSocket).length;

function freePort(): number {
  const socket = createNodeNet().bindUdp({ address: '0.0.0.0', port: 0 }, deaf);
  socket.close();
  return socket.port;
}

describe('TIDs of the node net', () => {
  const tids: TidSocket[] = [];
  let port: number;
  let table: SharedArrayBuffer;
  let net: Net;

  const useSpan = (first: number, last: number): void => {
    table = createPortTable({ first, last }, () => 0);
    net = createNodeNet({ tidPorts: { ipv4: table, ipv6: table } });
  };
  const openTid = (): TidSocket => {
    const tid = net.openTid(peer, deaf, 2 ** 20);
    tids.push(tid);
    return tid;
  };

  beforeEach(() => {
    port = freePort();
    useSpan(port, port);
  });
  afterEach(() => {
    for (const tid of tids.splice(0)) tid.close();
  });

  /** Where somebody else has it, it is held all the same. */
  const holdPort = (port: number): UdpSocket | undefined => {
    try {
      return net.bindUdp({ address: '0.0.0.0', port }, deaf);
    } catch {
      return undefined;
    }
  };

  it('take their port from the table and give it back when they close, once', () => {
    const tid = openTid();
    expect(tid.port).toBe(port);
    expect(openTid).toThrow(expect.objectContaining({ code: 'TLB_ERR_NO_PORTS' }));
    tid.close();
    const next = openTid();
    expect(next.port).toBe(port);
    tid.close();
    expect(new PortAllocator(table).free).toBe(0);
  });

  it('leave a port alone that another program holds, even one that would share it', async () => {
    const free = new PortAllocator(table);
    for (const reuseAddr of [false, true]) {
      const holder = createSocket({ type: 'udp4', reuseAddr }).bind(port, '127.0.0.1');
      await once(holder, 'listening');
      expect(openTid).toThrow(expect.objectContaining({ code: 'TLB_ERR_NO_PORTS' }));
      expect(free.free).toBe(1);
      holder.close();
    }
    expect(openTid().port).toBe(port);
  });

  it('pass over a port that is held', () => {
    useSpan(port, Math.min(port + 20, 65_535));
    const holder = net.bindUdp({ address: '0.0.0.0', port }, deaf);
    const tid = openTid();
    holder.close();
    expect(tid.port).toBeGreaterThan(port);
  });

  it('pass over a long row of ports that are held', () => {
    const first = 40_000;
    const row = createPortTable({ first, last: 45_000 }, () => 0);
    const crowded = createNodeNet({ tidPorts: { ipv4: row, ipv6: row } });
    const holders = Array.from({ length: 200 }, (_, n) => holdPort(first + n));
    try {
      tids.push(crowded.openTid(peer, deaf));
      expect(tids.at(-1)?.port).toBeGreaterThanOrEqual(first + 200);
    } finally {
      for (const holder of holders) holder?.close();
    }
  });

  it('differ between nets that share a table', () => {
    const shared = createPortTable({ first: 20_000, last: 60_000 }, Math.random);
    const nets = [1, 2].map(() => createNodeNet({ tidPorts: { ipv4: shared, ipv6: shared } }));
    const opened = nets.flatMap((net) => Array.from({ length: 50 }, () => net.openTid(peer, deaf)));
    tids.push(...opened);
    expect(new Set(opened.map((tid) => tid.port)).size).toBe(100);
  });

  it.skipIf(!existsSync('/proc/self/fd'))('leave no descriptor open, whatever happens', () => {
    const before = openDescriptors();
    const tid = openTid();
    expect(openDescriptors()).toBe(before + 2);
    expect(openTid).toThrow();
    expect(openDescriptors()).toBe(before + 2);
    tid.pinned(peer.port + 1);
    expect(openDescriptors()).toBe(before + 1);
    tid.close();
    expect(openDescriptors()).toBe(before);

    const holder = net.bindUdp({ address: '0.0.0.0', port }, deaf);
    expect(openTid).toThrow(expect.objectContaining({ code: 'TLB_ERR_NO_PORTS' }));
    holder.close();
    for (const address of ['255.255.255.255', 'no address']) {
      expect(() => net.openTid({ address, port: 69 }, deaf)).toThrow();
    }
    expect(() => net.openTid({ address: '127.0.0.1', port: 0 }, deaf)).toThrow();
    expect(openDescriptors()).toBe(before);
    expect(new PortAllocator(table).free).toBe(1);
  });

  it('say that a peer cannot be reached', () => {
    expect(() => net.openTid({ address: '255.255.255.255', port: 69 }, deaf)).toThrow(
      expect.objectContaining({
        code: 'TLB_ERR_UNREACHABLE',
        message: 'cannot reach 255.255.255.255 from here',
      }),
    );
  });

  it('say when descriptors run out, and leak none then', () => {
    const code = `
      const { createNodeNet } = await import(${JSON.stringify(new URL('../../../src/net/node-net.ts', import.meta.url).href)});
      const net = createNodeNet();
      const deaf = { onDatagram() {}, onError() {}, onRefused() {} };
      const openAll = () => {
        const tids = [];
        let code;
        try {
          for (;;) tids.push(net.openTid({ address: '127.0.0.1', port: 9 }, deaf));
        } catch (error) {
          code = error.code;
        }
        for (const tid of tids) tid.close();
        return { opened: tids.length, code };
      };
      const results = [];
      for (let odd = 0; odd < 3; odd++) {
        results.push(openAll(), openAll());
        net.bindUdp({ address: '127.0.0.1', port: 0 }, deaf);
      }
      console.log(JSON.stringify(results));
      process.exit(0);`;
    const command = 'ulimit -n 100 && exec "$0" --input-type=module -e "$1"';
    const output = execFileSync('sh', ['-c', command, process.execPath, code], { encoding: 'utf8' });
    const results = JSON.parse(output) as { opened: number; code: string }[];
    expect(results.map((result) => result.code)).toEqual(Array(6).fill('TLB_ERR_NO_DESCRIPTORS'));
    const opened = results.map((result) => result.opened);
    expect(opened[0]).toBeGreaterThan(10);
    expect([opened[1], opened[3], opened[5]]).toEqual([opened[0], opened[2], opened[4]]);
    expect(opened[4]).toBe((opened[0] ?? 0) - 1);
  });
});
