import { describe, expect, it } from 'vitest';
import type { MemoryHost } from '../../../src/net/memory-host.ts';
import { MemoryNet, type MemoryNetOptions } from '../../../src/net/memory-net.ts';
import type { NetError } from '../../../src/net/net.ts';
import type { TcpListener, TcpSocket } from '../../../src/net/tcp.ts';
import { bytes, rejectionOf, TcpEar } from '../../contract/net-tcp-scene.ts';

const serverAt = { address: '192.0.2.2', port: 21 };

/** A server that listens on port 21 and a client, on two hosts. */
class Scene {
  readonly net: MemoryNet;
  readonly client: MemoryHost;
  readonly server: MemoryHost;
  readonly accepted: TcpSocket[] = [];
  readonly errors: NetError[] = [];

  constructor(options: Partial<MemoryNetOptions> = {}) {
    this.net = new MemoryNet({ seed: 1, link: { minDelay: 10, maxDelay: 10 }, ...options });
    this.client = this.net.host(['192.0.2.1']);
    this.server = this.net.host(['192.0.2.2']);
  }

  listen(port = serverAt.port): Promise<TcpListener> {
    return this.server.listenTcp(
      { address: '0.0.0.0', port },
      {
        onConnection: (socket) => this.accepted.push(socket),
        onError: (error) => this.errors.push(error),
      },
    );
  }

  connect(timeout = 5000): Promise<TcpSocket> {
    return this.net.play(this.client.connectTcp(serverAt, { timeout }));
  }

  /** How an attempt to connect ends, and after how many milliseconds. */
  async attempt(timeout = 5000): Promise<[string, number]> {
    const start = this.net.now();
    return [await rejectionOf(this.connect(timeout)), Math.round(this.net.now() - start)];
  }

  async pair(): Promise<{ client: TcpSocket; atClient: TcpEar; server: TcpSocket; atServer: TcpEar }> {
    const [atClient, atServer] = [new TcpEar(), new TcpEar()];
    if (this.server.tcp.openListeners === 0) await this.listen();
    const client = await this.connect();
    client.handle(atClient);
    const server = this.accepted.at(-1);
    if (server === undefined) throw new Error('nothing was accepted');
    server.handle(atServer);
    this.net.advance(0);
    return { client, atClient, server, atServer };
  }
}

/** All that a run over a link of uneven delay shows. */
async function traceOf(seed: number): Promise<string[]> {
  const scene = new Scene({ seed, link: { minDelay: 1, maxDelay: 50, loss: 0.3, reordering: 0.3 } });
  const { client, server, atClient, atServer } = await scene.pair();
  const trace: string[] = [`${client.local.port}`];
  for (let round = 0; round < 20; round++) {
    client.write(bytes(`${round};`));
    scene.net.advance(3);
    trace.push(atServer.data);
  }
  client.end();
  server.end();
  scene.net.runUntilIdle();
  return [...trace, `${scene.net.now()}`, atServer.data, ...atServer.events, ...atClient.events];
}

describe('TCP of MemoryNet', () => {
  it('takes the time of the link, and opens after one round trip', async () => {
    const scene = new Scene();
    await scene.listen();
    expect(await scene.attempt()).toEqual(['no error', 20]);
    const { client, atServer } = await scene.pair();
    client.write(bytes('hello'));
    scene.net.advance(9.9);
    expect(atServer.data).toBe('');
    scene.net.advance(0.2);
    expect(atServer.data).toBe('hello');
  });

  it('loses and reorders nothing, whatever the link does to datagrams', async () => {
    const trace = await traceOf(3);
    const all = Array.from({ length: 20 }, (_, round) => `${round};`).join('');
    expect(trace.slice(-5)).toEqual([all, 'end', 'close clean', 'end', 'close clean']);
  });

  it('repeats itself with the same seed, and not with another', async () => {
    expect(await traceOf(1)).toEqual(await traceOf(1));
    expect(await traceOf(1)).not.toEqual(await traceOf(2));
  });

  it('keeps no more than a window for a receiver that does not read', async () => {
    const scene = new Scene();
    const { client, server, atServer } = await scene.pair();
    server.pause();
    expect(client.write(new Uint8Array(200_000))).toBe(false);
    scene.net.runUntilIdle();
    expect(client.pending).toBe(200_000 - 65_536);
    server.resume();
    scene.net.runUntilIdle();
    expect([client.pending, atServer.length]).toEqual([0, 200_000]);
    expect(Math.max(...atServer.chunks.map((chunk) => chunk.length))).toBe(1460);
  });

  it('sends the bytes that were there when they left', async () => {
    const scene = new Scene();
    const { client, atServer } = await scene.pair();
    const data = bytes('first');
    client.write(data);
    data.set(bytes('other'));
    scene.net.runUntilIdle();
    expect(atServer.data).toBe('first');
  });

  describe('an attempt to connect', () => {
    it('is refused after one round trip where nobody listens', async () => {
      expect(await new Scene().attempt()).toEqual(['TLB_ERR_REFUSED', 20]);
    });

    it('is given up where the host is silent, and nothing is left of it', async () => {
      const scene = new Scene();
      await scene.listen();
      scene.server.state = 'silent';
      expect(await scene.attempt(3000)).toEqual(['TLB_ERR_TIMEOUT', 3000]);
      expect([scene.client.openSockets, scene.net.pendingTimers]).toEqual([0, 0]);
      scene.server.state = 'up';
      scene.net.runUntilIdle();
      expect(scene.accepted).toEqual([]);
    });

    it('gets through to a host that speaks again in time', async () => {
      const scene = new Scene();
      await scene.listen();
      scene.server.state = 'silent';
      scene.net.setTimer(1000, () => {
        scene.server.state = 'up';
      });
      expect((await scene.attempt())[0]).toBe('no error');
    });

    it('learns that the host is gone, or that there is none', async () => {
      const scene = new Scene();
      await scene.listen();
      scene.server.state = 'gone';
      expect(await scene.attempt()).toEqual(['TLB_ERR_UNREACHABLE', 20]);
      scene.server.state = 'up';
      scene.server.setAddresses([]);
      expect(await scene.attempt()).toEqual(['TLB_ERR_UNREACHABLE', 20]);
      scene.client.setAddresses(['fd00::1']);
      expect((await scene.attempt())[0]).toBe('TLB_ERR_UNREACHABLE');
      expect(scene.client.openSockets).toBe(0);
    });

    it('that is given up too late for the server breaks what the server has', async () => {
      const scene = new Scene();
      await scene.listen();
      expect(await scene.attempt(15)).toEqual(['TLB_ERR_TIMEOUT', 15]);
      const ear = new TcpEar();
      scene.accepted[0]?.handle(ear);
      scene.net.runUntilIdle();
      expect([ear.events, scene.net.openSockets]).toEqual([['close reset'], 1]);
    });
  });

  describe('a host that falls silent', () => {
    it('delays what is sent, if it speaks again in time', async () => {
      const scene = new Scene();
      const { client, server, atClient, atServer } = await scene.pair();
      client.write(bytes('on its way'));
      scene.server.state = 'silent';
      server.write(bytes('lost at first'));
      scene.net.advance(60_000);
      expect([atServer.data, atClient.data]).toEqual(['', '']);
      scene.server.state = 'up';
      scene.net.runUntilIdle();
      expect([atServer.data, atClient.data]).toEqual(['on its way', 'lost at first']);
      expect([atServer.events, atClient.events]).toEqual([[], []]);
    });

    it.each(['silent', 'gone'] as const)('is given up by both sides after a while (%s)', async (state) => {
      const scene = new Scene();
      const { atClient, atServer } = await scene.pair();
      scene.server.state = state;
      scene.net.advance(60_000);
      expect([atClient.events, atServer.events]).toEqual([[], []]);
      scene.net.advance(20_000);
      expect([atClient.events, atServer.events]).toEqual([['close reset'], ['close reset']]);
      expect(atClient.errors[0]?.code).toBe('TLB_ERR_TIMEOUT');
    });

    it('is waited for anew each time', async () => {
      const scene = new Scene();
      const { atClient } = await scene.pair();
      for (let round = 0; round < 3; round++) {
        scene.server.state = 'silent';
        scene.net.advance(40_000);
        scene.server.state = 'up';
        scene.net.advance(1);
      }
      scene.net.runUntilIdle();
      expect(atClient.events).toEqual([]);
    });

    it('still sends the end of what it had closed', async () => {
      const scene = new Scene();
      const { client, server, atClient, atServer } = await scene.pair();
      client.end();
      scene.net.advance(100);
      server.write(bytes('last words'));
      server.end();
      scene.server.state = 'silent';
      scene.net.advance(1000);
      expect([atServer.events, atClient.events]).toEqual([['end', 'close clean'], []]);
      scene.server.state = 'up';
      scene.net.runUntilIdle();
      expect([atClient.data, atClient.events]).toEqual(['last words', ['end', 'close clean']]);
    });
  });

  describe('a host whose programs die', () => {
    it('resets its connections, after what was sent, and listens no more', async () => {
      const scene = new Scene();
      const { server, atClient, atServer } = await scene.pair();
      server.write(bytes('half a file'));
      scene.server.kill();
      expect(scene.server.openSockets).toBe(0);
      scene.net.runUntilIdle();
      expect([atClient.data, atClient.events]).toEqual(['half a file', ['close reset']]);
      expect(atServer.events).toEqual([]);
      expect((await scene.attempt())[0]).toBe('TLB_ERR_REFUSED');
    });

    it('answers what belongs to no connection with a reset', async () => {
      const scene = new Scene();
      const { client, atClient } = await scene.pair();
      scene.server.setAddresses([]);
      scene.server.kill();
      scene.net.host(['192.0.2.2']);
      scene.net.advance(100);
      expect(atClient.events).toEqual([]);
      client.write(bytes('anybody there?'));
      scene.net.advance(100);
      expect(atClient.events).toEqual(['close reset']);
    });
  });

  it('runs out of descriptors as a host does, and recovers', async () => {
    const scene = new Scene();
    const { atServer, server } = await scene.pair();
    scene.server.descriptorLimit = 2;
    const ear = new TcpEar();
    (await scene.connect()).handle(ear);
    scene.net.runUntilIdle();
    expect(ear.events).toEqual(['close reset']);
    expect(scene.errors.map((error) => error.code)).toEqual(['TLB_ERR_NO_DESCRIPTORS']);
    expect(await rejectionOf(scene.listen(22))).toBe('TLB_ERR_NO_DESCRIPTORS');
    server.reset();
    scene.net.runUntilIdle();
    expect(atServer.events).toEqual(['close aborted']);
    const { client } = await scene.pair();
    scene.client.descriptorLimit = 1;
    expect((await scene.attempt())[0]).toBe('TLB_ERR_NO_DESCRIPTORS');
    client.reset();
    expect((await scene.attempt())[0]).toBe('no error');
  });

  it('counts what is open', async () => {
    const scene = new Scene();
    const listener = await scene.listen();
    const { client, server } = await scene.pair();
    expect([scene.server.tcp.openListeners, scene.server.tcp.openConnections]).toEqual([1, 1]);
    expect(scene.net.openSockets).toBe(3);
    listener.close();
    client.end();
    server.end();
    scene.net.runUntilIdle();
    expect(scene.net.openSockets).toBe(0);
  });

  it('gives each connection a port of its own for as long as there are any', async () => {
    const scene = new Scene();
    await scene.listen();
    const { client } = scene;
    const attempts = Array.from({ length: 28_232 }, () => client.connectTcp(serverAt, { timeout: 5000 }));
    const sockets = await scene.net.play(Promise.all(attempts));
    expect(new Set(sockets.map(({ local }) => local.port)).size).toBe(28_232);
    expect((await scene.attempt())[0]).toBe('TLB_ERR_NO_PORTS');
    sockets[7]?.reset();
    expect((await scene.connect()).local).toEqual(sockets[7]?.local);
  });
});
