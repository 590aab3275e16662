/** What is peculiar to connections under TLS that are there to be written to; the rest is in the contract of TCP. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import { expect, test } from 'vitest';
import { NetError } from '../../../src/net/net.ts';
import type { TlsServerOptions, TlsSession, TlsVersion } from '../../../src/net/tls.ts';
import { bytes } from '../../contract/net-tcp-scene.ts';
import { until } from '../../contract/real-world.ts';
import {
  closeAfterEach,
  closers,
  codesOf,
  connectNode,
  createServerOf,
  listen,
  loopback,
  type Secured,
  versions,
  withoutDrain,
} from './tls-scene.ts';

closeAfterEach();

interface Scene {
  readonly writer: Secured;
  readonly raw: Socket;
  readonly peer: TLSSocket;
  /** By the peer. */
  readonly heard: Uint8Array[];
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

/** A writer and its peer, whose handshake is done unless it fails. `first` is written before. */
async function scene(
  version: TlsVersion,
  first: string,
  options: Partial<TlsServerOptions> = {},
): Promise<Scene> {
  const server = createServerOf(options).openSession();
  const session: TlsSession = {
    secure: (socket, rules) => {
      const writer = server.secure(socket, { ...rules, use: 'write' });
      writer.write(bytes(first));
      return writer;
    },
  };
  const { port, secured } = await listen(() => session, 'data');
  const raw = connect(port, loopback);
  closers.push(() => raw.destroy());
  const { socket: peer } = connectNode(port, { socket: wireOf(raw), maxVersion: version });
  const heard: Uint8Array[] = [];
  peer.on('data', (data: Uint8Array) => heard.push(data));
  await once(peer, 'secureConnect');
  const [writer] = secured;
  if (writer === undefined) throw new Error('nothing was accepted');
  return { writer, raw, peer, heard };
}

test.each(versions)(
  '%s: a peer that says its close_notify and resets has not got what was written',
  async (version) => {
    const { writer, raw, peer } = await scene(version, '');
    expect(peer.getProtocol()).toBe(version);
    raw.pause();
    peer.pause();
    writer.socket.write(new Uint8Array(100_000));
    await until(() => writer.socket.pending === 0);
    writer.socket.end();
    peer.end();
    await once(peer, 'finish');
    raw.resetAndDestroy();
    await until(() => writer.ear.isClosed);
    expect(withoutDrain(writer).at(-1)).toBe('close reset');
    expect(writer.ear.errors[0]).toBeInstanceOf(NetError);
  },
);

test('a peer that says its close_notify while it is written to, and resets in the end, is heard', async () => {
  const { writer, raw, peer } = await scene('TLSv1.3', '');
  raw.pause();
  peer.pause();
  writer.socket.write(new Uint8Array(30_000_000));
  writer.socket.end();
  expect(writer.socket.pending).toBeGreaterThan(0);
  peer.end();
  await until(() => withoutDrain(writer).includes('end'));
  raw.once('end', () => raw.resetAndDestroy());
  peer.resume();
  raw.resume();
  await until(() => writer.ear.isClosed);
  expect(withoutDrain(writer)).toEqual(['end', 'close reset']);
});

test('a peer that may not have it gets nothing', async () => {
  const { writer, raw, heard } = await scene('TLSv1.3', 'secret', { dataResumption: 'require' });
  await until(() => raw.closed && writer.ear.isClosed);
  expect(heard).toEqual([]);
  expect(codesOf(writer)).toEqual(['TLB_ERR_TLS_NOT_RESUMED']);
  expect(writer.socket.pending).toBe(0);
});

test.each(versions)('%s: what is written before the handshake arrives behind it', async (version) => {
  const { writer, peer, heard } = await scene(version, 'early');
  writer.socket.end();
  await once(peer, 'end');
  peer.end();
  expect(Buffer.concat(heard).toString()).toBe('early');
  await until(() => writer.ear.isClosed);
  expect(withoutDrain(writer)).toEqual(['end', 'close clean']);
});
