import { describe, expect, test } from 'vitest';
import type { TidMode } from '../../../../src/engine/snapshot.ts';
import { blockOf, encodeAck, encodeRequest, Opcode, opcodeOf } from '../../../../src/tftp/packet.ts';
import { MovingEngine } from '../../../helpers/moving-engine.ts';
import { nobody } from '../../../helpers/embedded.ts';
import { isLinuxSkipped } from '../../../helpers/tid-nets.ts';
import { UdpPeer } from '../../../helpers/udp-peer.ts';

const modes: readonly TidMode[] = [{ kind: 'ephemeral', ports: undefined }, { kind: 'single-port' }];
const request = encodeRequest(Opcode.rrq, 'image', 'octet');

function dataPacket(block: number, size: number): Buffer {
  return Buffer.concat([Buffer.from([0, Opcode.data, 0, block]), Buffer.alloc(size, block)]);
}

describe.skipIf(isLinuxSkipped).each(modes)('sessions that move, $kind', (tids) => {
  async function scene() {
    const [server, tid, client] = await Promise.all([UdpPeer.open(), UdpPeer.open(), UdpPeer.open()]);
    const engine = MovingEngine.open([server], { tids });
    client.send(request, engine.listener);
    const asked = await server.next();
    return { server, tid, client, engine, backendFacing: asked.from };
  }

  test('go on with the same ports, and are counted in their new place', async () => {
    const { tid, client, engine, backendFacing } = await scene();
    tid.send(dataPacket(1, 512), backendFacing);
    const { from: vipTid } = await client.next();
    const next = engine.move();
    expect([engine.active, next.active]).toEqual([0, 1]);
    client.send(encodeAck(1), vipTid);
    expect(await tid.next()).toMatchObject({ data: Buffer.from(encodeAck(1)), from: backendFacing });
    tid.send(dataPacket(2, 3), backendFacing);
    expect(await client.next()).toMatchObject({ data: dataPacket(2, 3), from: vipTid });
    client.send(encodeAck(2), vipTid);
    await tid.next();
    await expect.poll(() => next.active).toBe(0);
    expect(next.events.find(({ kind }) => kind === 'session.end')).toMatchObject({
      result: 'ok',
      bytes: 515,
      backend: 'b0',
      file: 'image',
    });
    expect(engine.events.some(({ kind }) => kind === 'session.end')).toBe(false);
  });

  test('are answered that wait for an answer, and datagrams that wait are not lost', async () => {
    const { tid, client, engine, backendFacing } = await scene();
    engine.net.loop.stop();
    tid.send(dataPacket(1, 512), backendFacing);
    const next = engine.move();
    expect((await client.next()).data).toEqual(dataPacket(1, 512));
    expect(next.active).toBe(1);
    // The request is still known for what it is.
    client.send(request, next.listener);
    client.send(encodeAck(1), (client.received[0] ?? { from: nobody }).from);
    expect((await tid.next()).data).toEqual(Buffer.from(encodeAck(1)));
    expect(next.active).toBe(1);
  });

  test('keep their tries: another backend is asked in the new place', async () => {
    const [silent, other, client] = await Promise.all([UdpPeer.open(), UdpPeer.open(), UdpPeer.open()]);
    const timing = { tryInterval: 100, idleTimeout: 60_000 };
    const engine = MovingEngine.open([silent, other], { tids, timing, policy: 'first' });
    client.send(request, engine.listener);
    await silent.next();
    const next = engine.move();
    const asked = await other.next();
    other.send(dataPacket(1, 3), asked.from);
    expect((await client.next()).data).toEqual(dataPacket(1, 3));
    const failover = next.events.find(({ kind }) => kind === 'session.failover');
    expect(failover).toMatchObject({ from: 'b0', to: 'b1', reason: 'silent' });
  });

  test('repeat their last words to whom did not hear them', async () => {
    const { tid, client, engine, backendFacing } = await scene();
    tid.send(dataPacket(1, 3), backendFacing);
    const { from: vipTid } = await client.next();
    client.send(encodeAck(1), vipTid);
    await tid.next();
    const next = engine.move();
    tid.send(dataPacket(1, 3), backendFacing);
    const repeated = await client.next();
    expect([opcodeOf(repeated.data), blockOf(repeated.data)]).toEqual([Opcode.data, 1]);
    expect(repeated.from).toEqual(vipTid);
    expect([engine.active, next.active]).toEqual([0, 0]);
  });

  test('leave the sockets that they share to those that come', async () => {
    const { server, tid, client, engine, backendFacing } = await scene();
    tid.send(dataPacket(1, 512), backendFacing);
    const { from: vipTid } = await client.next();
    const next = engine.move();
    const ports = new Set<number>();
    for (let count = 0; count < 70; count += 1) {
      client.send(encodeRequest(Opcode.rrq, `file ${count}`, 'octet'), next.listener);
      const { from } = await server.next();
      expect(from.port).not.toBe(backendFacing.port);
      ports.add(from.port);
      if (tids.kind === 'single-port') break;
    }
    if (tids.kind === 'single-port') return;
    expect(ports.size).toBe(70);
    client.send(encodeAck(1), vipTid);
    expect(await tid.next()).toMatchObject({ from: backendFacing });
  });
});
