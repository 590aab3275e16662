import { expect, it, vi } from 'vitest';
import { ProxiedClients } from '../../../src/engine/proxied-clients.ts';
import { MemoryNet } from '../../../src/net/memory-net.ts';
import type { TcpSocket } from '../../../src/net/tcp.ts';
import { bytes } from '../../contract/net-tcp-scene.ts';

const rules = { trusted: [{ address: '192.0.2.1', prefix: 32 }], version: undefined, timeout: 5_000 };
const owner = { onClient: () => undefined, onFault: () => undefined };

it.each([
  ['ends', (proxy: TcpSocket) => proxy.end(), false],
  ['breaks', (proxy: TcpSocket) => proxy.reset(), false],
  ['keeps', () => undefined, true],
] as const)(
  'a connection that its proxy %s is remembered only as long as it lasts',
  async (_, act, isKept) => {
    const net = new MemoryNet({ seed: 1 });
    const host = net.host(['192.0.2.2']);
    const clients = new ProxiedClients(host);
    const taken: TcpSocket[] = [];
    const onConnection = (socket: TcpSocket): void => {
      taken.push(socket);
      clients.take(socket, rules, owner);
    };
    const at = { address: '192.0.2.2', port: 21 };
    await host.listenTcp(at, { onConnection, onError: () => undefined });
    const proxy = await net.play(net.host(['192.0.2.1']).connectTcp(at, { timeout: 1_000 }));
    proxy.write(bytes('PROXY '));
    act(proxy);
    net.advance(1_000);
    const reset = vi.spyOn(taken[0] ?? proxy, 'reset');
    clients.close();
    expect(reset).toHaveBeenCalledTimes(isKept ? 1 : 0);
  },
);
