import { describe, expect, it } from 'vitest';
import { createPassivePool, PassivePool } from '../../../src/engine/passive-pool.ts';
import { PassivePorts } from '../../../src/engine/passive-ports.ts';
import { MemoryNet } from '../../../src/net/memory-net.ts';
import type { PortRange } from '../../../src/engine/snapshot.ts';
import type { Net } from '../../../src/net/net.ts';
import type { ListenHandlers, TcpListener } from '../../../src/net/tcp.ts';

const address = '192.0.2.1';
const other = '192.0.2.2';
const nobody: ListenHandlers = { onConnection: () => undefined, onError: () => undefined };

function host(seed = 1): { net: MemoryNet; host: ReturnType<MemoryNet['host']> } {
  const net = new MemoryNet({ seed });
  return { net, host: net.host([address, other]) };
}

/** The ports of one worker, alone or beside others that share `memory`. */
class Lent extends PassivePorts {
  readonly pool: PassivePool;

  constructor(net: Net, range: PortRange | undefined, memory = createPassivePool(range, 1), worker = 0) {
    const pool = new PassivePool(memory, worker);
    super(net, pool);
    this.pool = pool;
  }

  get used(): number {
    return this.pool.used;
  }
}

function listen(ports: PassivePorts, count: number, at = address): Promise<TcpListener[]> {
  return Promise.all(Array.from({ length: count }, () => ports.listen(at, nobody)));
}

describe('the passive ports', () => {
  it('are lent once each, then none is left, and what comes back is lent again', async () => {
    const ports = new Lent(host().host, { first: 2001, last: 2005 });
    const listeners = await listen(ports, 5);
    expect(new Set(listeners.map(({ port }) => port))).toEqual(new Set([2001, 2002, 2003, 2004, 2005]));
    expect(ports.used).toBe(5);
    await expect(ports.listen(other, nobody)).rejects.toMatchObject({ code: 'TLB_ERR_NO_PORTS' });
    listeners[2]?.close();
    listeners[2]?.close();
    expect(ports.used).toBe(4);
    expect((await ports.listen(address, nobody)).port).toBe(listeners[2]?.port);
    await expect(ports.listen(address, nobody)).rejects.toMatchObject({ code: 'TLB_ERR_NO_PORTS' });
  });

  it('come in an order that chance decides', async () => {
    const orders = await Promise.all(
      [1, 2, 3].map(async (seed) => {
        const ports = new Lent(host(seed).host, { first: 2000, last: 2999 });
        return (await listen(ports, 5)).map(({ port }) => port).join(' ');
      }),
    );
    expect(new Set(orders).size).toBe(3);
  });

  it('rest when they come back, while half of the others are taken', async () => {
    const ports = new Lent(host().host, { first: 2000, last: 2099 });
    const [listener] = await listen(ports, 1);
    listener?.close();
    const taken = await listen(ports, 50);
    expect(taken.map(({ port }) => port)).not.toContain(listener?.port);
  });

  it('that another program holds are passed over and not lost', async () => {
    const { host: here } = host();
    const held = await Promise.all([2000, 2002].map((port) => here.listenTcp({ address, port }, nobody)));
    const ports = new Lent(here, { first: 2000, last: 2002 });
    expect((await ports.listen(address, nobody)).port).toBe(2001);
    await expect(ports.listen(address, nobody)).rejects.toMatchObject({ code: 'TLB_ERR_NO_PORTS' });
    for (const listener of held) listener.close();
    expect(await listen(ports, 2)).toHaveLength(2);
  });

  it('are not lost when the host has no descriptor or not the address', async () => {
    const { host: here } = host();
    const ports = new Lent(here, { first: 2000, last: 2001 });
    here.descriptorLimit = 0;
    await expect(ports.listen(address, nobody)).rejects.toMatchObject({ code: 'TLB_ERR_NO_DESCRIPTORS' });
    here.descriptorLimit = Infinity;
    await expect(ports.listen('198.51.100.1', nobody)).rejects.toMatchObject({
      code: 'TLB_ERR_ADDRESS_NOT_LOCAL',
    });
    expect(ports.used).toBe(0);
    expect(await listen(ports, 2)).toHaveLength(2);
  });

  it('of workers that share a range are lent once to all of them', async () => {
    const range = { first: 2000, last: 2009 };
    const memory = createPassivePool(range, 2);
    const { host: here } = host();
    const workers = [0, 1].map((worker) => new Lent(here, range, memory, worker));
    const lent = (await Promise.all(workers.map((ports) => listen(ports, 5)))).flat();
    expect(new Set(lent.map(({ port }) => port)).size).toBe(10);
    expect(workers.map(({ used }) => used)).toEqual([10, 10]);
    for (const ports of workers) {
      await expect(ports.listen(address, nobody)).rejects.toMatchObject({ code: 'TLB_ERR_NO_PORTS' });
    }
    lent[0]?.close();
    expect((await workers[1]?.listen(address, nobody))?.port).toBe(lent[0]?.port);
  });

  it('without a range are the system’s choice', async () => {
    const ports = new Lent(host().host, undefined);
    const listeners = await listen(ports, 3);
    expect(new Set(listeners.map(({ port }) => port)).size).toBe(3);
    expect(ports.used).toBe(3);
    for (const listener of listeners) listener.close();
    expect(ports.used).toBe(0);
  });
});
