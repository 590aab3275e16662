import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Endpoint } from '../../../../src/net/net.ts';
import { codeOf } from '../../../contract/net-scene.ts';
import { isLinuxSkipped } from '../../../helpers/tid-nets.ts';
import { ownLoopback } from '../../../helpers/sockets.ts';
import { NetLab } from './net-lab.ts';

/** Sockets that a pool begins with. */
const minSockets = 64;

const clientAt = (port: number): Endpoint => ({ address: '127.0.0.9', port });

describe.skipIf(isLinuxSkipped)('VIP TIDs on shared sockets', () => {
  let lab: NetLab;
  beforeEach(() => {
    lab = new NetLab();
  });
  afterEach(() => lab.close());

  it('are spread over many sockets, which many clients share', () => {
    const vips = lab.vipTids();
    const lent = Array.from({ length: 1_000 }, (_, n) => lab.lendVip(vips, clientAt(n + 1)));
    expect(new Set(lent.map(({ port }) => port)).size).toBe(minSockets);
    expect(lab.sockets).toBe(minSockets);
    for (const tid of lent) tid.close();
  });

  it('rest in turn also where sessions follow one upon the other', () => {
    const vips = lab.vipTids();
    const ports = Array.from({ length: 2 * minSockets }, () => {
      const tid = lab.lendVip(vips, clientAt(1));
      tid.close();
      return tid.port;
    });
    expect(new Set(ports.slice(0, minSockets)).size).toBe(minSockets);
    expect(ports.slice(minSockets)).toEqual(ports.slice(0, minSockets));
  });

  it('grow with the sessions of one client, and shrink when none is left', () => {
    const vips = lab.vipTids();
    const lent = Array.from({ length: 100 }, () => lab.lendVip(vips, clientAt(1)));
    expect(new Set(lent.map(({ port }) => port)).size).toBe(100);
    expect(lab.sockets).toBe(100);
    for (const tid of lent) tid.close();
    expect(lab.sockets).toBe(minSockets);
  });

  it('take no more of a range than they need, so that another listener has some too', () => {
    const options = { address: ownLoopback(), ports: { first: 20_000, last: 20_019 } };
    for (const vips of [lab.vipTids(options), lab.vipTids(options)]) {
      const lent = Array.from({ length: 50 }, (_, n) => lab.lendVip(vips, clientAt(n + 1)));
      expect(lent.every(({ port }) => port >= 20_000 && port <= 20_019)).toBe(true);
    }
  });

  it('make do with the ports of a range that others leave them', () => {
    const address = ownLoopback();
    const others = Array.from({ length: 7 }, (_, n) => lab.bind(address, 20_000 + n));
    const vips = lab.vipTids({ address, ports: { first: 20_000, last: 20_007 } });
    for (let n = 0; n < 10; n++) expect(lab.lendVip(vips, clientAt(n + 1)).port).toBe(20_007);
    expect(codeOf(() => lab.lendVip(vips, clientAt(1)))).toBe('TLB_ERR_NO_PORTS');
    others[4]?.close();
    expect(lab.lendVip(vips, clientAt(1)).port).toBe(20_004);
  });

  it('are of another part of a range in each thread', () => {
    const options = { address: ownLoopback(), ports: { first: 20_000, last: 20_010 } };
    const labs: NetLab[] = [];
    const lent = [0, 1].flatMap((first) => {
      const thread = new NetLab({ share: { first, of: 2 } });
      labs.push(thread);
      const vips = thread.vipTids(options);
      const own = Array.from({ length: 6 - first }, () => thread.lendVip(vips, clientAt(1)).port);
      expect(codeOf(() => thread.lendVip(vips, clientAt(1)))).toBe('TLB_ERR_NO_PORTS');
      return own;
    });
    expect(lent.sort((a, b) => a - b)).toEqual(Array.from({ length: 11 }, (_, n) => 20_000 + n));
    for (const thread of labs.toReversed()) thread.close();
  });
});
