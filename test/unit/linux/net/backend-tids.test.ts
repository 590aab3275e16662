import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Endpoint } from '../../../../src/net/net.ts';
import { bytes, Ear } from '../../../contract/net-scene.ts';
import { until } from '../../../helpers/processes.ts';
import { isLinuxSkipped } from '../../../helpers/tid-nets.ts';
import { ownLoopback } from '../../../helpers/sockets.ts';
import { NetLab } from './net-lab.ts';

/** Sockets that a pool begins with. */
const minSockets = 64;

const peerAt = (address: string): Endpoint => ({ address, port: 69 });

describe.skipIf(isLinuxSkipped)('backend-facing TIDs on shared sockets', () => {
  let lab: NetLab;
  beforeEach(() => {
    lab = new NetLab();
  });
  afterEach(() => lab.close());

  it('rest for as long as possible before they are lent again', () => {
    const tids = lab.backendTids();
    const rounds = [1, 2, 3].map(() =>
      Array.from({ length: minSockets }, () => {
        const tid = lab.lend(tids, peerAt('127.0.0.1'));
        tid.close();
        return tid.port;
      }),
    );
    expect(new Set(rounds[0]).size).toBe(minSockets);
    expect(rounds[1]).toEqual(rounds[0]);
    expect(rounds[2]).toEqual(rounds[0]);
    expect(lab.sockets).toBe(minSockets);
  });

  it('rest by when they were given back, not by when they were lent', () => {
    const tids = lab.backendTids();
    const lent = Array.from({ length: minSockets }, () => lab.lend(tids, peerAt('127.0.0.1')));
    for (const index of [5, 2, 9]) lent[index]?.close();
    const again = [1, 2, 3].map(() => lab.lend(tids, peerAt('127.0.0.1')).port);
    expect(again).toEqual([5, 2, 9].map((index) => lent[index]?.port));
  });

  it('take one socket for as many backends as there are addresses', () => {
    const tids = lab.backendTids();
    const addresses = Array.from({ length: 200 }, (_, n) => `127.1.0.${n + 1}`);
    const sessions = addresses.flatMap((address) => [1, 2, 3].map(() => lab.lend(tids, peerAt(address))));
    expect(lab.sockets).toBeLessThanOrEqual(minSockets);
    expect(new Set(sessions.map(({ port }) => port)).size).toBeLessThanOrEqual(minSockets);
    for (const [index, { port }] of sessions.entries()) {
      const others = sessions.slice(index - (index % 3), index);
      expect(others.some((other) => other.port === port)).toBe(false);
    }
  });

  it('grow with the sessions of one backend, and shrink when none is left', () => {
    const tids = lab.backendTids();
    const lent = Array.from({ length: 3 * minSockets }, () => lab.lend(tids, peerAt('127.0.0.1')));
    expect(new Set(lent.map(({ port }) => port)).size).toBe(3 * minSockets);
    expect(lab.sockets).toBe(3 * minSockets);
    const other = lab.lend(tids, peerAt('127.0.0.2'));
    expect(lab.sockets).toBe(3 * minSockets);
    for (const tid of lent) tid.close();
    expect(lab.sockets).toBe(3 * minSockets);
    other.close();
    expect(lab.sockets).toBe(minSockets);
    const ports = Array.from({ length: 2 * minSockets }, () => lab.lend(tids, peerAt('127.0.0.1')).port);
    expect(new Set(ports).size).toBe(2 * minSockets);
    expect(lab.sockets).toBe(2 * minSockets);
  });

  it('are lent once, however many backends have come and gone meanwhile', () => {
    const tids = lab.backendTids();
    const held = lab.lend(tids, peerAt('127.0.0.1'));
    for (let n = 0; n < 5_000; n++) lab.lend(tids, peerAt(`127.2.${n >> 8}.${n & 255}`)).close();
    const ports = Array.from({ length: minSockets }, () => lab.lend(tids, peerAt('127.0.0.1')).port);
    expect(ports).not.toContain(held.port);
    expect(lab.sockets).toBe(minSockets + 1);
  });

  it('have a socket of their own where the peer may answer from anywhere, as long as they are lent', () => {
    const tids = lab.backendTids();
    const lent = [1, 2].map(() => lab.lend(tids, peerAt('127.0.0.1'), new Ear(), true));
    expect(new Set(lent.map(({ port }) => port)).size).toBe(2);
    expect(lab.sockets).toBe(2);
    for (const tid of lent) tid.close();
    expect(lab.sockets).toBe(0);
  });

  it('tell a refusal to the session whose backend refused, and lose nothing of the others there', async () => {
    const tids = lab.backendTids();
    const [dead, alive, quiet] = [ownLoopback(), ownLoopback(), ownLoopback()];
    const echo = new Ear((data, port, address) => server.send(data, port, address));
    const server = lab.bind(alive, 0, echo);
    const ears = [new Ear(), new Ear(), new Ear()] as const;
    const refused = lab.lend(tids, { address: dead, port: server.port }, ears[0]);
    const served = lab.lend(tids, server, ears[1]);
    const asked = lab.bind(quiet);
    const silent = lab.lend(tids, asked, ears[2]);
    expect(new Set([refused.port, served.port, silent.port]).size).toBe(1);
    let rounds = 0;
    // The system limits how many refusals it tells in a row.
    for (; rounds < 30 || ears[0].refusals === 0; rounds++) {
      refused.send(bytes('request'), server.port, dead);
      served.send(bytes(`round ${rounds}`), server.port, alive);
      silent.send(bytes('request'), asked.port, quiet);
      if (rounds % 10 < 9) continue;
      await until('the echo has come', () => ears[1].data.at(-1) === `round ${rounds}` || undefined);
    }
    await until('all have come', () => ears[1].datagrams.length === rounds || undefined);
    expect(ears[1].data).toEqual(Array.from({ length: rounds }, (_, round) => `round ${round}`));
    expect(ears.map(({ errors }) => errors)).toEqual([[], [], []]);
    expect([ears[1].refusals, ears[2].refusals]).toEqual([0, 0]);
  });

  it('relay in the batch of a socket on which others are refused', async () => {
    const tids = lab.backendTids();
    const vips = lab.vipTids();
    const [dead, alive] = [ownLoopback(), ownLoopback()];
    const atServer = new Ear();
    const server = lab.bind(alive, 0, atServer);
    const client = lab.bind('127.0.0.1');
    const [refused, served] = [lab.lend(tids, { address: dead, port: 69 }), lab.lend(tids, server)];
    let turn = 0;
    const relaying = new Ear((data) => {
      if (turn % 2 === 0) refused.send(data, 69, dead);
      else served.send(data, server.port, alive);
      turn += 1;
    });
    const vip = lab.lendVip(vips, client, relaying);
    expect(refused.port).toBe(served.port);
    for (let n = 0; n < 100; n++) client.send(bytes(`${n}`), vip.port, vip.address);
    await until('all have come', () => atServer.datagrams.length === 50 || undefined);
    expect(atServer.data).toEqual(Array.from({ length: 50 }, (_, n) => `${2 * n + 1}`));
  });
});
