/** What is peculiar to connections under TLS that are there to be written to; the rest is in the contract of TCP. */
import { once } from 'node:events';
import { connect as connectTcp, type Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { connect, type TLSSocket } from 'node:tls';
import { expect, onTestFinished, test } from 'vitest';
import { NetError } from '../../../src/net/net.ts';
import { createNodeNet } from '../../../src/net/node-net.ts';
import { createNodeTlsServer } from '../../../src/net/node-tls-server.ts';
import type { TcpSocket } from '../../../src/net/tcp.ts';
import type { TlsServerOptions } from '../../../src/net/tls.ts';
import { TcpEar } from '../../contract/net-tcp-scene.ts';
import { makeKeyPair } from '../../helpers/certificates.ts';
import { until } from '../../helpers/processes.ts';

const net = createNodeNet();
const keyPair = makeKeyPair();
const rules: TlsServerOptions = {
  keyPairs: [keyPair],
  minVersion: 'TLSv1.2',
  handshakeTimeout: 10_000,
  eof: 'strict',
  clientCa: undefined,
  clientCertificate: 'optional',
  dataResumption: 'off',
};

interface Scene {
  readonly ear: TcpEar;
  readonly writer: TcpSocket;
  readonly raw: Socket;
  readonly peer: TLSSocket;
}

/** A connection whose FIN is not that of the TLS on top. */
function wireOf(raw: Socket): Duplex {
  const wire = new Duplex({
    read: () => raw.resume(),
    write: (data: Uint8Array, _, done) => void raw.write(data, done),
    final: (done) => done(),
  });
  raw.on('error', () => undefined);
  raw.on('data', (data) => wire.push(data));
  raw.on('end', () => wire.push(null));
  return wire;
}

/** A writer and its peer, whose handshake is done unless it fails. */
async function scene(first?: Uint8Array, options: Partial<TlsServerOptions> = {}): Promise<Scene> {
  const server = createNodeTlsServer(net, { ...rules, ...options });
  const accepted = Promise.withResolvers<TcpSocket>();
  const listener = await net.listenTcp(
    { address: '127.0.0.1', port: 0 },
    {
      onConnection: (socket) =>
        accepted.resolve(server.openSession().secure(socket, { channel: 'data', use: 'write' })),
      onError: accepted.reject,
    },
  );
  const raw = connectTcp({ host: listener.address, port: listener.port });
  const peer = connect({ socket: wireOf(raw), rejectUnauthorized: false }).on('error', () => undefined);
  const writer = await accepted.promise;
  listener.close();
  onTestFinished(() => {
    writer.reset();
    raw.destroy();
  });
  const ear = new TcpEar();
  writer.handle(ear);
  if (first) writer.write(first);
  await once(peer, 'secureConnect');
  return { ear, writer, raw, peer };
}

const ends = (ear: TcpEar): readonly string[] => ear.events.filter((event) => event !== 'drain');

for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
  test(`${version}: a peer that says its close_notify and resets has not got what was written`, async () => {
    const { ear, writer, raw, peer } = await scene(undefined, { minVersion: version });
    raw.pause();
    peer.pause();
    writer.write(new Uint8Array(100_000));
    await until('all is written', () => writer.pending === 0 || undefined);
    writer.end();
    peer.end();
    await once(peer, 'finish');
    raw.resetAndDestroy();
    await until('the end', () => ear.isClosed || undefined);
    expect(ends(ear).at(-1)).toBe('close reset');
    expect(ear.errors[0]).toBeInstanceOf(NetError);
  });
}

test('a peer that says its close_notify while it is written to, and resets in the end, is heard', async () => {
  const { ear, writer, raw, peer } = await scene();
  raw.pause();
  peer.pause();
  writer.write(new Uint8Array(30_000_000));
  writer.end();
  expect(writer.pending).toBeGreaterThan(0);
  peer.end();
  await until('its end is told', () => ends(ear).includes('end') || undefined);
  raw.once('end', () => raw.resetAndDestroy());
  peer.resume();
  raw.resume();
  await until('the end', () => ear.isClosed || undefined);
  expect(ends(ear)).toEqual(['end', 'close reset']);
});

test('a peer that may not have it gets nothing', async () => {
  const { ear, writer, raw, peer } = await scene(new Uint8Array(1_000), { dataResumption: 'require' });
  const heard: Uint8Array[] = [];
  peer.on('data', (data: Uint8Array) => heard.push(data));
  await until('the end', () => raw.closed || undefined);
  expect(heard).toEqual([]);
  await until('the end', () => ear.isClosed || undefined);
  expect(ear.errors[0]?.code).toBe('TLB_ERR_TLS_NOT_RESUMED');
  expect(writer.pending).toBe(0);
});

test('what is written before the handshake arrives behind it', async () => {
  const { ear, writer, peer } = await scene(Buffer.from('early'));
  writer.end();
  const heard: Uint8Array[] = [];
  peer.on('data', (data: Uint8Array) => heard.push(data));
  await once(peer, 'end');
  peer.end();
  expect(Buffer.concat(heard).toString()).toBe('early');
  await until('the end', () => ear.isClosed || undefined);
  expect(ends(ear)).toEqual(['end', 'close clean']);
});
