import { once } from 'node:events';
import { connect, createServer, type AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import type { TlsServerOptions } from '../../../src/net/tls.ts';
import { until } from '../../contract/real-world.ts';
import {
  closeAfterEach,
  closers,
  codesOf,
  connectNode,
  createServerOf,
  listen,
  loopback,
  versions,
  withoutDrain,
} from './tls-scene.ts';

closeAfterEach();

describe.each(versions)('the end of a connection of %s', (version) => {
  const only = { minVersion: version, maxVersion: version };

  /** A client of Node whose raw connection is at hand. */
  async function scene(options: Partial<TlsServerOptions> = {}) {
    const server = createServerOf(options);
    const { port, secured } = await listen(() => server.openSession());
    const raw = connect({ host: loopback, port, allowHalfOpen: true });
    const { socket } = connectNode(port, { ...only, socket: raw });
    await once(socket, 'secureConnect');
    const [ours] = secured;
    if (ours === undefined) throw new Error('nothing was accepted');
    await until(() => ours.facts.length === 1);
    return { socket, raw, ours };
  }

  const sizes = [0, 1, 16_384, 300_000];

  it.each(sizes)('is clean with a close_notify behind %i bytes', async (size) => {
    const { socket, ours } = await scene();
    socket.end(Buffer.alloc(size));
    await until(() => withoutDrain(ours).length > 0);
    expect([ours.ear.length, withoutDrain(ours)]).toEqual([size, ['end']]);
    ours.socket.end();
    await until(() => ours.ear.isClosed);
    expect(withoutDrain(ours)).toEqual(['end', 'close clean']);
  });

  it.each(sizes)('is none with a mere FIN behind %i bytes', async (size) => {
    const { socket, raw, ours } = await scene();
    if (size > 0) await new Promise((resolve) => socket.write(Buffer.alloc(size), resolve));
    raw.end();
    await until(() => ours.ear.isClosed);
    expect([withoutDrain(ours), codesOf(ours)]).toEqual([['close reset'], ['TLB_ERR_TLS_TRUNCATED']]);
    expect(ours.ear.length).toBe(size);
  });

  it('is a mere FIN where that is allowed', async () => {
    const { socket, raw, ours } = await scene({ eof: 'lenient' });
    await new Promise((resolve) => socket.write('half a file', resolve));
    raw.end();
    await until(() => withoutDrain(ours).length > 0);
    ours.socket.end();
    await until(() => ours.ear.isClosed);
    expect([ours.ear.data, withoutDrain(ours)]).toEqual(['half a file', ['end', 'close clean']]);
  });

  it('is none with a FIN in the middle of a record', async () => {
    const server = createServerOf();
    const { port, secured } = await listen(() => server.openSession());
    // What the client sends passes a place where it can be cut.
    let left = Infinity;
    const relay = createServer((from) => {
      const to = connect(port, loopback);
      for (const socket of [from, to]) socket.on('error', () => undefined);
      to.pipe(from);
      from.on('data', (data) => {
        const part = data.subarray(0, left);
        left -= part.length;
        to.write(part);
        if (left === 0) to.end();
      });
      closers.push(
        () => from.destroy(),
        () => to.destroy(),
      );
    }).listen(0, loopback);
    closers.push(() => relay.close());
    await once(relay, 'listening');
    const { socket } = connectNode((relay.address() as AddressInfo).port, only);
    await once(socket, 'secureConnect');
    await until(() => secured[0]?.facts.length === 1);
    left = 20_000;
    socket.write(Buffer.alloc(100_000));
    await until(() => secured[0]?.ear.isClosed === true);
    const [ours] = secured;
    expect([ours && codesOf(ours), ours?.ear.length]).toEqual([['TLB_ERR_TLS_TRUNCATED'], 16_384]);
  });

  it('is a reset with a reset, even behind data', async () => {
    const { socket, raw, ours } = await scene();
    await new Promise((resolve) => socket.write(Buffer.alloc(50_000), resolve));
    raw.resetAndDestroy();
    await until(() => ours.ear.isClosed);
    expect([withoutDrain(ours), codesOf(ours)]).toEqual([['close reset'], ['TLB_ERR_SOCKET']]);
  });

  it('that is proven stays so, though the peer closes without reading our tickets', async () => {
    const server = createServerOf();
    const { port, secured } = await listen(() => server.openSession());
    const raw = connect({ host: loopback, port });
    const { socket } = connectNode(port, { ...only, socket: raw });
    await once(socket, 'secureConnect');
    await until(() => secured[0]?.facts.length === 1);
    socket.end('all of it');
    await once(socket, 'finish');
    raw.resetAndDestroy();
    const [ours] = secured;
    await until(() => ours !== undefined && withoutDrain(ours).length > 0);
    await until(() => raw.closed);
    ours?.socket.end();
    await until(() => ours?.ear.isClosed === true);
    expect([ours?.ear.data, ours && withoutDrain(ours)]).toEqual(['all of it', ['end', 'close clean']]);
  });
});
