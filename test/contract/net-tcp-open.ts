import { describe, expect, it } from 'vitest';
import { bytes, type Listening, rejectionOf, TcpEar, type TcpScene } from './net-tcp-scene.ts';

/** Listens on one port of all addresses of both families. Another program may hold it in one of them. */
async function listenInBoth(scene: TcpScene, tries = 10): Promise<{ own: Listening; other: Listening }> {
  const own = await scene.listen({ address: scene.wildcard });
  const { port } = own.listener;
  try {
    return { own, other: await scene.listen({ address: scene.otherWildcard, port }) };
  } catch (error) {
    if (tries === 1) throw error;
    return await listenInBoth(scene, tries - 1);
  }
}

export function listenContract(scene: () => TcpScene): void {
  describe('listenTcp', () => {
    it('reports the address and the port that the system chose', async () => {
      const { listen, loopback } = scene();
      const { listener } = await listen();
      expect(listener.address).toBe(loopback);
      expect(listener.port).toBeGreaterThan(0);
      expect((await listen()).listener.port).not.toBe(listener.port);
    });

    it('listens exclusively, beside a listener of all addresses too', async () => {
      const { listen, wildcard } = scene();
      const { port } = (await listen()).listener;
      expect(await rejectionOf(listen({ port }))).toBe('TLB_ERR_ADDRESS_IN_USE');
      expect(await rejectionOf(listen({ port, address: wildcard }))).toBe('TLB_ERR_ADDRESS_IN_USE');
      const all = (await listen({ address: wildcard })).listener;
      expect(await rejectionOf(listen({ port: all.port }))).toBe('TLB_ERR_ADDRESS_IN_USE');
    });

    it('lets listeners that all wish it share a port, each connection accepted by one of them', async () => {
      const { listen, connect, until } = scene();
      const first = await listen({ reusePort: true });
      const { port } = first.listener;
      const sharing = [first, await listen({ port, reusePort: true })];
      for (let n = 0; n < 32; n += 1) await connect(first.listener);
      const accepted = (): number[] => sharing.map(({ accepted }) => accepted.length);
      await until(() => accepted().reduce((sum, count) => sum + count) === 32);
      expect(Math.min(...accepted())).toBeGreaterThan(0);
    });

    it('shares a port with nobody who does not wish it', async () => {
      const { listen } = scene();
      const { port } = (await listen({ reusePort: true })).listener;
      expect(await rejectionOf(listen({ port }))).toBe('TLB_ERR_ADDRESS_IN_USE');
      const { port: own } = (await listen()).listener;
      expect(await rejectionOf(listen({ port: own, reusePort: true }))).toBe('TLB_ERR_ADDRESS_IN_USE');
    });

    it('frees the port with the call of close, which leaves connections alone', async () => {
      const { listen, connect, until } = scene();
      const { listener, accepted } = await listen();
      const client = await connect(listener);
      await until(() => accepted.length === 1);
      listener.close();
      listener.close();
      expect(await rejectionOf(connect(listener))).toBe('TLB_ERR_REFUSED');
      const ear = new TcpEar();
      accepted[0]?.handle(ear);
      client.write(bytes('still here'));
      await until(() => ear.data === 'still here');
      expect((await listen({ port: listener.port })).listener.port).toBe(listener.port);
    });

    it('keeps the families apart on one port', async (context) => {
      const { connect, until, net, loopback, otherLoopback } = scene();
      if (new Set(net.localAddresses().map(({ family }) => family)).size < 2) context.skip();
      const { own, other } = await listenInBoth(scene());
      const { port } = own.listener;
      await connect({ address: loopback, port });
      await connect({ address: otherLoopback, port });
      await until(() => own.accepted.length + other.accepted.length === 2);
      expect([own.accepted[0]?.remote.address, other.accepted[0]?.remote.address]).toEqual([
        loopback,
        otherLoopback,
      ]);
    });

    it('tells by which of all its addresses it was reached', async () => {
      const { listen, connect, until, loopback, wildcard } = scene();
      const { listener, accepted } = await listen({ address: wildcard });
      const client = await connect({ address: loopback, port: listener.port });
      await until(() => accepted.length === 1);
      expect(accepted[0]?.local).toEqual({ address: loopback, port: listener.port });
      expect(accepted[0]?.remote).toEqual(client.local);
    });

    it('that closes with its first connection leaves nothing of the others', async () => {
      const { listen, net, settle, until } = scene();
      const { listener, accepted } = await listen({ onConnection: () => listener.close() });
      const ears = Array.from({ length: 5 }, () => new TcpEar());
      const outcomes = ears.map((ear) =>
        rejectionOf(net.connectTcp(listener, { timeout: 10_000 }).then((socket) => socket.handle(ear))),
      );
      const refused = (await settle(Promise.all(outcomes))).filter((code) => code === 'TLB_ERR_REFUSED');
      await until(() => refused.length + ears.filter(({ isClosed }) => isClosed).length === 4);
      expect(ears.flatMap(({ events }) => events).every((event) => event === 'close reset')).toBe(true);
      expect(accepted.length).toBe(1);
    });

    it('rejects with NetError where it cannot listen', async () => {
      const { listen, foreign } = scene();
      expect(await rejectionOf(listen({ address: foreign }))).toBe('TLB_ERR_ADDRESS_NOT_LOCAL');
      for (const address of ['localhost', '']) {
        expect(await rejectionOf(listen({ address }))).toBe('TLB_ERR_SOCKET');
      }
      for (const port of [-1, 1.5, 65_536, NaN]) {
        expect(await rejectionOf(listen({ port }))).toBe('TLB_ERR_SOCKET');
      }
    });
  });
}

export function connectContract(scene: () => TcpScene): void {
  describe('connectTcp', () => {
    it('joins two ends that know each other', async () => {
      const { quietPair, loopback } = scene();
      const { client, server } = await quietPair();
      expect(client.local).toEqual({ address: loopback, port: expect.any(Number) });
      expect(server.remote).toEqual(client.local);
      expect(server.local).toEqual(client.remote);
      expect(client.local.port).not.toBe(client.remote.port);
    });

    it('is refused where nobody listens, and says where that was', async () => {
      const { net, settle, deadEndpoint } = scene();
      const dead = await deadEndpoint();
      await expect(settle(net.connectTcp(dead, { timeout: 10_000 }))).rejects.toMatchObject({
        code: 'TLB_ERR_REFUSED',
        message: expect.stringContaining(`${dead.address} port ${dead.port}`),
      });
    });

    it('is not tried towards what is no destination', async () => {
      const { connect, loopback } = scene();
      for (const [address, port] of [
        [loopback, 0],
        [loopback, 65_536],
        [loopback, NaN],
        ['localhost', 21],
        ['', 21],
      ] as const) {
        expect(await rejectionOf(connect({ address, port }))).toBe('TLB_ERR_SOCKET');
      }
    });

    it('comes from the address and the port that are asked for', async () => {
      const { listen, connect, until, deadEndpoint, loopback } = scene();
      const { listener, accepted } = await listen();
      const from = await deadEndpoint();
      const client = await connect(listener, { from });
      const anyPort = await connect(listener, { from: { address: loopback, port: 0 } });
      await until(() => accepted.length === 2);
      expect(client.local).toEqual(from);
      expect(accepted.map(({ remote }) => remote)).toEqual([from, anyPort.local]);
    });

    it('serves several destinations from one port, and each of them once', async () => {
      const { listen, connect, deadEndpoint } = scene();
      const [one, other] = [(await listen()).listener, (await listen()).listener];
      const from = await deadEndpoint();
      const first = await connect(one, { from });
      const second = await connect(other, { from });
      expect([first.local, second.local]).toEqual([from, from]);
      expect(await rejectionOf(connect(one, { from }))).toBe('TLB_ERR_ADDRESS_IN_USE');
    });

    it('rejects with NetError where it cannot come from', async () => {
      const { listen, connect, loopback, foreign, otherLoopback } = scene();
      const { listener } = await listen();
      const held = (await listen()).listener;
      const codeFrom = (address: string, port = 0): Promise<string> =>
        rejectionOf(connect(listener, { from: { address, port } }));
      expect(await codeFrom(loopback, held.port)).toBe('TLB_ERR_ADDRESS_IN_USE');
      expect(await codeFrom(foreign)).toBe('TLB_ERR_ADDRESS_NOT_LOCAL');
      expect(await codeFrom(otherLoopback)).toBe('TLB_ERR_SOCKET');
      expect(await codeFrom('localhost')).toBe('TLB_ERR_SOCKET');
      expect(await codeFrom(loopback, 65_536)).toBe('TLB_ERR_SOCKET');
    });

    it('rejects with the reason of a signal, before and while it tries, and leaves nothing open', async () => {
      const { listen, net, settle, openSockets, until } = scene();
      const { listener, accepted } = await listen();
      const before = openSockets();
      const reason = new Error('enough');
      const early = net.connectTcp(listener, { timeout: 10_000, signal: AbortSignal.abort(reason) });
      await expect(settle(early)).rejects.toBe(reason);
      const controller = new AbortController();
      const late = net.connectTcp(listener, { timeout: 10_000, signal: controller.signal });
      controller.abort(reason);
      await expect(settle(late)).rejects.toBe(reason);
      // The attempt may have got through before it was given up.
      const left = (): number => {
        for (const socket of accepted) socket.reset();
        return openSockets();
      };
      await until(() => left() === before);
    });

    it('does not mind a signal that is aborted once the connection stands', async () => {
      const { listen, connect, until } = scene();
      const { listener, accepted } = await listen();
      const controller = new AbortController();
      const client = await connect(listener, { signal: controller.signal });
      controller.abort();
      const ear = new TcpEar();
      await until(() => accepted.length === 1);
      accepted[0]?.handle(ear);
      client.write(bytes('hello'));
      await until(() => ear.data === 'hello');
    });
  });
}
