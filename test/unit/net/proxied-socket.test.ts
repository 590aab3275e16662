import { expect, it } from 'vitest';
import { MemoryNet } from '../../../src/net/memory-net.ts';
import type { Endpoint, NetError } from '../../../src/net/net.ts';
import { readProxyHeader } from '../../../src/net/proxied-socket.ts';
import { encodeProxyHeader } from '../../../src/net/proxy-header.ts';
import type { TcpSocket } from '../../../src/net/tcp.ts';
import { bytes, TcpEar } from '../../contract/net-tcp-scene.ts';

const source = { address: '203.0.113.7', port: 40_000 };
const destination = { address: '203.0.113.1', port: 21 };
const timeout = 5_000;

/** A proxy that is connected to a host which waits for its header. */
class Scene {
  readonly net: MemoryNet = new MemoryNet({ seed: 1, link: { minDelay: 10, maxDelay: 10 } });
  readonly clients: { socket: TcpSocket; destination: Endpoint | undefined; ear: TcpEar }[] = [];
  readonly faults: string[] = [];
  /** Connections that were given up by the proxy. */
  gone = 0;
  readonly ear: TcpEar = new TcpEar();

  async connect(): Promise<TcpSocket> {
    const server = this.net.host(['192.0.2.2']);
    await server.listenTcp(
      { address: '192.0.2.2', port: 21 },
      {
        onConnection: (socket) =>
          readProxyHeader(socket, server, timeout, {
            onClient: (socket, destination) => {
              const ear = new TcpEar();
              socket.handle(ear);
              this.clients.push({ socket, destination, ear });
            },
            onFault: (error: NetError) => this.faults.push(`${error.code} ${error.message}`),
            onGone: () => (this.gone += 1),
          }),
        onError: () => undefined,
      },
    );
    const proxy = this.net.host(['192.0.2.1']);
    const socket = await this.net.play(proxy.connectTcp({ address: '192.0.2.2', port: 21 }, { timeout }));
    socket.handle(this.ear);
    return socket;
  }
}

it.each([1, 2] as const)('the client is the one in the header of version %i', async (version) => {
  const scene = new Scene();
  const proxy = await scene.connect();
  const header = encodeProxyHeader(version, source, destination);
  for (const byte of header) proxy.write(Uint8Array.of(byte));
  proxy.write(bytes('USER a\r\n'));
  scene.net.advance(20);
  const [client] = scene.clients;
  expect(client?.socket.remote).toEqual(source);
  expect(client?.socket.local).toEqual({ address: '192.0.2.2', port: 21 });
  expect(client?.destination).toEqual(destination);
  expect(client?.ear.data).toBe('USER a\r\n');
  scene.net.advance(10 * timeout);
  expect([scene.faults, client?.ear.events, scene.ear.events]).toEqual([[], [], []]);
});

it('what is in one piece with the header is the first thing that the client said', async () => {
  const scene = new Scene();
  const proxy = await scene.connect();
  proxy.write(Buffer.concat([encodeProxyHeader(1, source, destination), bytes('USER a\r\n')]));
  proxy.write(bytes('PASS b\r\n'));
  proxy.end();
  scene.net.advance(20);
  const [client] = scene.clients;
  expect([client?.ear.data, client?.ear.events]).toEqual(['USER a\r\nPASS b\r\n', ['end']]);
});

it('a connection of the proxy itself is its own', async () => {
  const scene = new Scene();
  const proxy = await scene.connect();
  proxy.write(bytes('PROXY UNKNOWN\r\n'));
  scene.net.advance(20);
  const [client] = scene.clients;
  expect([client?.socket.remote, client?.destination]).toEqual([proxy.local, undefined]);
});

it('what is no header ends the connection, and nobody is told of a client', async () => {
  const scene = new Scene();
  const proxy = await scene.connect();
  proxy.write(bytes('USER a\r\nPASS b\r\n'));
  scene.net.advance(30);
  expect(scene.ear.events).toEqual(['close reset']);
  expect(scene.faults).toEqual([expect.stringMatching(/^TLB_ERR_PROXY_HEADER /)]);
  expect(scene.clients).toEqual([]);
});

it('a header that is never whole is waited for no longer than allowed', async () => {
  const scene = new Scene();
  const proxy = await scene.connect();
  const header = encodeProxyHeader(2, source, destination);
  for (const byte of header.subarray(0, -1)) {
    proxy.write(Uint8Array.of(byte));
    scene.net.advance(timeout / 40);
  }
  expect(scene.faults).toEqual([]);
  scene.net.advance(timeout);
  expect(scene.ear.events).toEqual(['close reset']);
  const reason = `no PROXY protocol header from 192.0.2.1 port ${proxy.local.port} within ${timeout} ms`;
  expect(scene.faults).toEqual([`TLB_ERR_TIMEOUT ${reason}`]);
});

it.each(['end', 'reset'] as const)('a proxy that gives up by itself, by %s, leaves nothing', async (how) => {
  const scene = new Scene();
  const proxy = await scene.connect();
  proxy.write(bytes('PROXY '));
  proxy[how]();
  scene.net.advance(2 * timeout);
  expect([scene.faults, scene.clients, scene.net.openSockets]).toEqual([[], [], 1]);
  expect(scene.gone).toBe(1);
});
