import { describe, expect, it } from 'vitest';
import { NetError } from '../../src/net/net.ts';
import { bytes, rejectionOf, TcpEar, type Heard, type TcpScene } from './net-tcp-scene.ts';

const big = new Uint8Array(32 * 2 ** 20);

function expectReset({ ear }: Heard): void {
  expect(ear.events.filter((event) => event !== 'drain')).toEqual(['close reset']);
}

export function closeContract(scene: () => TcpScene): void {
  describe('a clean end', () => {
    it('is told when both directions have ended', async () => {
      const { pair, until } = scene();
      const { client, server } = await pair();
      client.socket.end();
      client.socket.end();
      server.socket.end();
      await until(() => client.ear.isClosed && server.ear.isClosed);
      expect([client.ear.events, server.ear.events]).toEqual([
        ['end', 'close clean'],
        ['end', 'close clean'],
      ]);
      expect([...client.ear.errors, ...server.ear.errors]).toEqual([undefined, undefined]);
    });

    it('of one direction leaves the other one open', async () => {
      const { pair, until } = scene();
      const { client, server } = await pair();
      client.socket.write(bytes('question'));
      client.socket.end();
      await until(() => server.ear.events.length > 0);
      expect([server.ear.data, server.ear.events]).toEqual(['question', ['end']]);
      server.socket.write(bytes('answer'));
      await until(() => client.ear.data === 'answer');
      expect(client.ear.events).toEqual([]);
      server.socket.write(bytes('s'));
      server.socket.end();
      await until(() => client.ear.isClosed && server.ear.isClosed);
      expect([client.ear.data, client.ear.events]).toEqual(['answers', ['end', 'close clean']]);
      expect(server.ear.events.filter((event) => event !== 'drain')).toEqual(['end', 'close clean']);
    });

    it('takes no more data, and what is over does nothing', async () => {
      const { pair, until } = scene();
      const { client, server } = await pair();
      client.socket.end();
      expect(client.socket.write(bytes('late'))).toBe(true);
      server.socket.end();
      await until(() => client.ear.isClosed && server.ear.isClosed);
      for (const { socket } of [client, server]) {
        expect(socket.write(bytes('late'))).toBe(true);
        socket.end();
        socket.reset();
        socket.pause();
        socket.resume();
        expect(socket.pending).toBe(0);
      }
      const { client: later, server: other } = await pair();
      later.socket.reset();
      await until(() => other.ear.isClosed);
      expect([server.ear.data, server.ear.events]).toEqual(['', ['end', 'close clean']]);
      expect(client.ear.events).toEqual(['end', 'close clean']);
    });

    it('is told to handlers that come late', async () => {
      const { quietPair, until } = scene();
      const { client, server } = await quietPair();
      const [first, late] = [new TcpEar(), new TcpEar()];
      client.handle(first);
      client.reset();
      server.reset();
      await until(() => first.isClosed);
      server.handle(late);
      expect(late.events).toEqual([]);
      await until(() => late.isClosed);
      expect(late.events).toEqual(['close aborted']);
    });
  });

  describe('a reset', () => {
    it('is told as such on both sides, after the call', async () => {
      const { pair, until } = scene();
      const { client, server } = await pair();
      client.socket.reset();
      client.socket.reset();
      expect(client.ear.events).toEqual([]);
      await until(() => client.ear.isClosed && server.ear.isClosed);
      expect(client.ear.events).toEqual(['close aborted']);
      expectReset(server);
      expect(server.ear.errors[0]).toBeInstanceOf(NetError);
      expect(server.ear.errors[0]?.message).toContain(`port ${server.socket.remote.port}`);
    });

    const meanwhile = {
      'while the peer can write': () => undefined,
      'when the peer had ended its direction': ({ socket }: Heard) => socket.end(),
    };
    it.each(Object.entries(meanwhile))('together with data is never an end: %s', async (_name, prepare) => {
      const { pair, until } = scene();
      for (const length of [1, 1000, 65_535, 65_536]) {
        const { client, server } = await pair();
        prepare(server);
        server.socket.pause();
        client.socket.write(new Uint8Array(length));
        await until(() => client.socket.pending === 0);
        client.socket.reset();
        await until(() => client.ear.isClosed);
        server.socket.resume();
        await until(() => server.ear.isClosed);
        expectReset(server);
        expect(server.ear.length).toBeLessThanOrEqual(length);
      }
    });

    it('together with data is no end for a peer that ends when it hears the data', async () => {
      const { pair, until } = scene();
      const ear = new TcpEar(() => server.socket.end());
      const { client, server } = await pair(new TcpEar(), ear);
      server.socket.pause();
      client.socket.write(bytes('QUIT\r\n'));
      client.socket.reset();
      await until(() => client.ear.isClosed);
      server.socket.resume();
      await until(() => server.ear.isClosed);
      expectReset(server);
    });

    it('reaches a peer that only writes', async () => {
      const { pair, until } = scene();
      const { client, server } = await pair();
      server.socket.pause();
      client.socket.reset();
      await until(() => client.ear.isClosed);
      await until(() => {
        server.socket.write(bytes('x'));
        return server.ear.isClosed;
      });
      expectReset(server);
    });

    it('behind an end is noticed by ending, too, unless the end is proven', async () => {
      const { pair, until, isEndProven } = scene();
      const { client, server } = await pair();
      client.socket.end();
      await until(() => server.ear.events.length > 0);
      server.socket.pause();
      client.socket.reset();
      await until(() => client.ear.isClosed);
      server.socket.end();
      await until(() => server.ear.isClosed);
      expect(server.ear.events).toEqual(['end', isEndProven ? 'close clean' : 'close reset']);
    });

    it('throws away what is pending', async () => {
      const { pair, until } = scene();
      const { client, server } = await pair();
      server.socket.pause();
      client.socket.write(big);
      expect(client.socket.pending).toBeGreaterThan(0);
      client.socket.reset();
      await until(() => client.ear.isClosed);
      expect(client.ear.events).toEqual(['close aborted']);
      expect(client.socket.pending).toBe(0);
      server.socket.resume();
      await until(() => server.ear.isClosed);
      expectReset(server);
      expect(server.ear.length).toBeLessThan(big.length);
    });

    it('is possible while the end of data waits or is under way', async () => {
      const { pair, until } = scene();
      for (const data of [big, bytes('x'), undefined]) {
        const { client, server } = await pair();
        server.socket.pause();
        if (data !== undefined) client.socket.write(data);
        client.socket.end();
        client.socket.reset();
        client.socket.reset();
        await until(() => client.ear.isClosed);
        expect(client.ear.events).toEqual(['close aborted']);
        server.socket.reset();
      }
    });

    it('silences what was on its way', async () => {
      const { pair, until } = scene();
      const { client, server } = await pair();
      client.socket.write(new Uint8Array(100_000));
      client.socket.end();
      server.socket.write(bytes('x'));
      await until(() => client.ear.length === 1);
      const heard = server.ear.length;
      server.socket.reset();
      await until(() => server.ear.isClosed && client.ear.isClosed);
      expect([server.ear.length, server.ear.events.at(-1)]).toEqual([heard, 'close aborted']);
    });

    it('may come from within a call', async () => {
      const { pair, until } = scene();
      const ear = new TcpEar(() => server.socket.reset());
      const { client, server } = await pair(new TcpEar(), ear);
      client.socket.write(new Uint8Array(200_000));
      await until(() => ear.isClosed && client.ear.isClosed);
      expect([ear.chunks.length, ear.events]).toEqual([1, ['close aborted']]);
      expectReset(client);
    });

    it('of a connection that nobody wants is all that its peer hears, at once or a little later', async () => {
      const { listen, connect, until } = scene();
      const { listener } = await listen({ onConnection: (socket) => socket.reset() });
      const ear = new TcpEar();
      const work = connect(listener).then((socket) => socket.handle(ear));
      expect(['no error', 'TLB_ERR_REFUSED']).toContain(await rejectionOf(work));
      if ((await rejectionOf(work)) === 'TLB_ERR_REFUSED') return;
      await until(() => ear.isClosed);
      expect(ear.events).toEqual(['close reset']);
    });
  });
  describe('a release', () => {
    it('tells nothing more, and the peer gets all that was written and an end', async () => {
      const { pair, until } = scene();
      for (const length of [0, 1, 50_000]) {
        const { client, server } = await pair();
        server.socket.pause();
        client.socket.write(new Uint8Array(length));
        await until(() => client.socket.pending === 0);
        if (length > 0) client.socket.end();
        client.socket.release();
        client.socket.release();
        server.socket.resume();
        await until(() => server.ear.events.length > 0);
        server.socket.end();
        await until(() => server.ear.isClosed);
        expect([server.ear.length, server.ear.events]).toEqual([length, ['end', 'close clean']]);
        expect(client.ear.events).toEqual([]);
      }
    });

    it('is a reset where something is pending', async () => {
      const { pair, until } = scene();
      const { client, server } = await pair();
      server.socket.pause();
      client.socket.write(big);
      client.socket.end();
      client.socket.release();
      server.socket.resume();
      await until(() => server.ear.isClosed);
      expectReset(server);
      expect(client.ear.events).toEqual([]);
    });

    it('does not soften a reset', async () => {
      const { pair, until } = scene();
      const { client, server } = await pair();
      client.socket.reset();
      client.socket.release();
      await until(() => server.ear.isClosed);
      expectReset(server);
    });
  });
}
