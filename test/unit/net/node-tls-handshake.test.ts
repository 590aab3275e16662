import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { bytes } from '../../contract/net-tcp-scene.ts';
import { until } from '../../contract/real-world.ts';
import {
  closeAfterEach,
  closers,
  codesOf,
  connectNode,
  connectTo,
  createServerOf,
  createSession,
  listen,
  loopback,
  versions,
  withoutDrain,
} from './tls-scene.ts';

closeAfterEach();

describe('a handshake', () => {
  it.each(versions)('tells what it has settled (%s)', async (version) => {
    const server = createServerOf();
    const { port, secured } = await listen(() => server.openSession());
    const { socket } = connectNode(port, {
      minVersion: version,
      maxVersion: version,
      ALPNProtocols: ['ftp'],
    });
    await until(() => secured[0]?.facts.length === 1);
    expect(secured[0]?.facts[0]).toEqual({
      version,
      isResumed: false,
      subject: undefined,
    });
    await until(() => socket.alpnProtocol === 'ftp');
  });

  it('may be written behind and ended behind at once', async () => {
    const server = createServerOf();
    const { port, secured } = await listen(() => server.openSession());
    const ours = await connectTo({ address: loopback, port }, createSession());
    expect(ours.socket.write(bytes('early'))).toBe(false);
    ours.socket.end();
    expect(ours.socket.pending).toBeGreaterThan(0);
    await until(() => secured[0]?.ear.events.includes('end') === true);
    expect([secured[0]?.ear.data, ours.ear.events]).toEqual(['early', ['drain']]);
  });

  it('that does not come is waited for no longer than allowed', async () => {
    const server = createServerOf({ handshakeTimeout: 30 });
    const { port, secured } = await listen(() => server.openSession());
    const raw = connect(port, loopback);
    closers.push(() => raw.destroy());
    // The first half of one.
    raw.write(Uint8Array.of(0x16, 3, 1, 2, 0, 1));
    await once(raw, 'connect');
    const { localPort } = raw;
    await until(() => secured[0]?.ear.isClosed === true);
    expect(secured[0]?.ear.errors[0]).toMatchObject({
      code: 'TLB_ERR_TIMEOUT',
      message: `TLS with ${loopback} port ${localPort}: no handshake within 30 ms`,
    });
  });

  const noise: readonly (readonly [string, Uint8Array])[] = [
    ['FTP', bytes('USER anonymous\r\nPASS x\r\n')],
    ['HTTP', bytes('GET / HTTP/1.1\r\nHost: a\r\n\r\n')],
    ['SSL 2', Uint8Array.of(0x80, 0x2e, 1, 0, 2, 0, 0x15, 0, 0, 0, 0x10, ...new Uint8Array(37))],
    ['a huge record', Uint8Array.of(0x16, 3, 1, 0xff, 0xff, ...new Uint8Array(70_000))],
    ['a record of nothing', Uint8Array.of(0x17, 3, 3, 0, 1, 0)],
  ];
  it.each(noise)('in which the peer speaks %s ends the connection', async (_name, said) => {
    const server = createServerOf();
    const { port, secured } = await listen(() => server.openSession());
    const raw: Socket = connect(port, loopback);
    raw.on('error', () => undefined).resume();
    closers.push(() => raw.destroy());
    raw.write(said);
    await until(() => secured[0]?.ear.isClosed === true);
    expect([secured[0] && withoutDrain(secured[0]), secured[0] && codesOf(secured[0])]).toEqual([
      ['close reset'],
      ['TLB_ERR_TLS'],
    ]);
    expect(secured[0]?.ear.data).toBe('');
  });

  it('of a version that is too old is refused', async () => {
    const server = createServerOf({ minVersion: 'TLSv1.3' });
    const { port, secured } = await listen(() => server.openSession());
    const { errors } = connectNode(port, { maxVersion: 'TLSv1.2' });
    await until(() => secured[0]?.ear.isClosed === true && errors.length > 0);
    expect(secured[0]?.ear.errors[0]).toMatchObject({
      code: 'TLB_ERR_TLS',
      message: expect.stringContaining('unsupported protocol'),
    });
    expect(errors[0]).toContain('alert');
  });

  it('that is for another protocol than FTP is refused', async () => {
    const server = createServerOf();
    const { port, secured } = await listen(() => server.openSession());
    const { errors } = connectNode(port, { ALPNProtocols: ['http/1.1'] });
    await until(() => secured[0]?.ear.isClosed === true && errors.length > 0);
    expect([secured[0] && codesOf(secured[0]), secured[0]?.facts]).toEqual([['TLB_ERR_TLS'], []]);
  });

  it('cannot be done again', async () => {
    const server = createServerOf();
    const { port, secured } = await listen(() => server.openSession());
    const { socket, errors } = connectNode(port, { maxVersion: 'TLSv1.2' });
    await once(socket, 'secureConnect');
    socket.renegotiate({}, () => undefined);
    await until(() => errors.length > 0);
    expect(errors[0]).toContain('no renegotiation');
    expect(secured[0]?.facts.length).toBe(1);
  });
});
