import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createPortTable, PortAllocator, type PortSpan } from '../../../src/net/port-allocator.ts';

const allocatorOf = (span: PortSpan, random = 0, reserved: readonly PortSpan[] = []): PortAllocator =>
  new PortAllocator(createPortTable(span, () => random, reserved));

const takeAll = (ports: PortAllocator): number[] => {
  const taken: number[] = [];
  for (let port = ports.take(); port !== undefined; port = ports.take()) taken.push(port);
  return taken;
};

describe('PortAllocator', () => {
  it('lends every port of the range once, then none', () => {
    const ports = allocatorOf({ first: 100, last: 104 });
    expect(takeAll(ports)).toEqual([100, 101, 102, 103, 104]);
    expect(ports.free).toBe(0);
    ports.giveBack(102);
    expect(takeAll(ports)).toEqual([102]);
  });

  it('starts where randomness says and goes round', () => {
    expect(takeAll(allocatorOf({ first: 100, last: 104 }, 0.999))).toEqual([104, 100, 101, 102, 103]);
  });

  it('lets a port rest until the whole range has had its turn', () => {
    const ports = allocatorOf({ first: 100, last: 102 });
    const turns = Array.from({ length: 7 }, () => {
      const port = ports.take() ?? 0;
      ports.giveBack(port);
      return port;
    });
    expect(turns).toEqual([100, 101, 102, 100, 101, 102, 100]);
  });

  it('never lends reserved ports, even if they are given back', () => {
    const reserved = [
      { first: 90, last: 100 },
      { first: 103, last: 103 },
      { first: 105, last: 200 },
      { first: 300, last: 400 },
    ];
    const ports = allocatorOf({ first: 100, last: 106 }, 0, reserved);
    expect(ports.free).toBe(3);
    for (const port of [100, 103, 106]) ports.giveBack(port);
    expect(takeAll(ports)).toEqual([101, 102, 104]);
  });

  it('ignores what is given back without being held', () => {
    const ports = allocatorOf({ first: 100, last: 101 });
    for (const port of [99, 100, 102, 0, -1]) ports.giveBack(port);
    expect(ports.free).toBe(2);
    expect(takeAll(ports)).toEqual([100, 101]);
  });

  it('takes back all that one holder has, and nothing of another one', () => {
    const table = createPortTable({ first: 100, last: 105 }, () => 0, [{ first: 105, last: 105 }]);
    const [lost, other] = [new PortAllocator(table, 1), new PortAllocator(table, 2)];
    expect([lost.take(), other.take(), lost.take(), other.take()]).toEqual([100, 101, 102, 103]);
    lost.giveBack(101);
    expect(other.free).toBe(1);
    new PortAllocator(table, 1).giveBackAll();
    expect(other.free).toBe(3);
    expect(takeAll(other)).toEqual([104, 100, 102]);
  });

  it('refuses what is no range of ports', () => {
    for (const [first, last] of [
      [0, 5],
      [5, 4],
      [1, 65_536],
      [1.5, 3],
      [NaN, 3],
    ] as const) {
      expect(() => createPortTable({ first, last }, () => 0)).toThrow(RangeError);
    }
  });

  it('never lends a port twice, whatever is taken and given back through two allocators of one table', () => {
    const steps = fc.array(fc.record({ give: fc.boolean(), who: fc.nat(1), which: fc.nat(20) }), {
      maxLength: 80,
    });
    fc.assert(
      fc.property(steps, fc.integer({ min: 1, max: 12 }), (steps, count) => {
        const table = createPortTable({ first: 1000, last: 999 + count }, () => 0.5);
        const allocators = [new PortAllocator(table), new PortAllocator(table)];
        const held: number[] = [];
        for (const { give, who, which } of steps) {
          const [returned] = give ? held.splice(which % Math.max(1, held.length), 1) : [];
          if (returned !== undefined) allocators[who]?.giveBack(returned);
          const port = give ? undefined : allocators[who]?.take();
          if (!give) expect(port === undefined).toBe(held.length === count);
          if (port !== undefined) held.push(port);
          expect(new Set(held).size).toBe(held.length);
          expect(allocators[0]?.free).toBe(count - held.length);
        }
      }),
    );
  });

  it('never lends a port twice to threads that share a table', async () => {
    const table = createPortTable({ first: 1, last: 20_000 }, () => 0.3);
    const module = new URL('../../../src/net/port-allocator.ts', import.meta.url).href;
    const code = `
      const { parentPort, workerData } = require('node:worker_threads');
      void import(workerData.module).then(({ PortAllocator }) => {
        const ports = new PortAllocator(workerData.table);
        const held = [];
        for (let port = ports.take(); port !== undefined; port = ports.take()) held.push(port);
        parentPort.postMessage(held);
      });`;
    const workers = [1, 2].map(() => new Worker(code, { eval: true, workerData: { module, table } }));
    const held = await Promise.all(workers.map((worker) => once(worker, 'message')));
    const ports = held.flatMap(([list]) => list as number[]);
    expect(ports.length).toBe(20_000);
    expect(new Set(ports).size).toBe(20_000);
  });
});
