import { readlinkSync } from 'node:fs';
import { describe, expect, it, onTestFinished } from 'vitest';
import { listeningDescriptor } from '../../../src/net/listening-descriptor.ts';
import type { Endpoint } from '../../../src/net/net.ts';
import type { TcpSocket } from '../../../src/net/tcp.ts';
import { createNodeNet } from '../../../src/net/node-net.ts';
import { lacksIpv6 } from '../../helpers/embedded.ts';

const net = createNodeNet();
const deaf = { onDatagram: () => undefined, onError: () => undefined };
const addresses = ['127.0.0.1', '0.0.0.0', ...(lacksIpv6 ? [] : ['::1', '::'])];

async function openAt(protocol: 'tcp' | 'udp', address: string): Promise<Endpoint & { close(): void }> {
  if (protocol === 'udp') return net.bindUdp({ address, port: 0 }, deaf);
  return net.listenTcp({ address, port: 0 }, { onConnection: () => undefined, onError: () => undefined });
}

describe.each(['udp', 'tcp'] as const)('the descriptor of a %s listener', (protocol) => {
  it.each(addresses)('is found by its address %s and port', async (address) => {
    const listener = await openAt(protocol, address);
    const descriptor = listeningDescriptor(protocol, listener);
    expect(readlinkSync(`/proc/self/fd/${descriptor}`)).toMatch(/^socket:/);
    const other = await openAt(protocol, address);
    onTestFinished(() => other.close());
    expect(listeningDescriptor(protocol, other)).not.toBe(descriptor);
    listener.close();
    expect(listeningDescriptor(protocol, listener)).toBeUndefined();
  });

  it('is none where another address has the port', async () => {
    const listener = await openAt(protocol, '127.0.0.1');
    onTestFinished(() => listener.close());
    expect(listeningDescriptor(protocol, { address: '127.0.0.2', port: listener.port })).toBeUndefined();
  });
});

it('is that of the listener of a TCP port, not of a connection there', async () => {
  const accepted = Promise.withResolvers<TcpSocket>();
  const onConnection = (socket: TcpSocket): void => accepted.resolve(socket);
  const listener = await net.listenTcp(
    { address: '127.0.0.1', port: 0 },
    { onConnection, onError: () => undefined },
  );
  const before = listeningDescriptor('tcp', listener);
  const sockets = [await net.connectTcp(listener, { timeout: 5_000 }), await accepted.promise];
  onTestFinished(() => sockets.forEach((socket) => socket.reset()));
  expect(before).toBeDefined();
  expect(listeningDescriptor('tcp', listener)).toBe(before);
  listener.close();
  expect(listeningDescriptor('tcp', listener)).toBeUndefined();
});
