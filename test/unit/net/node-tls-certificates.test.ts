import { once } from 'node:events';
import type { ConnectionOptions } from 'node:tls';
import { describe, expect, it } from 'vitest';
import type { KeyPair } from '../../../src/net/tls.ts';
import { until } from '../../contract/real-world.ts';
import { makeKeyPair } from '../../helpers/certificates.ts';
import {
  authority,
  closeAfterEach,
  codesOf,
  connectNode,
  connectTo,
  createServerOf,
  createSession,
  keyPair,
  listen,
  listenNode,
  loopback,
  withoutDrain,
} from './tls-scene.ts';

closeAfterEach();

const asClient = ({ certificate, key }: KeyPair): ConnectionOptions => ({ cert: certificate, key });

describe('certificates', () => {
  const other = makeKeyPair({ name: 'other', names: 'DNS:ftp.example.net,DNS:*.example.org', kind: 'rsa' });

  it.each([
    ['ftp.example.net', 'other'],
    ['a.example.org', 'other'],
    ['FTP.example.NET', 'other'],
    ['localhost', 'localhost'],
    ['unknown.example', 'localhost'],
    ['', 'localhost'],
  ])('are chosen by the name that the client asks for: %j', async (servername, name) => {
    const server = createServerOf({ keyPairs: [keyPair, other] });
    const { port } = await listen(() => server.openSession());
    const { socket } = connectNode(port, { servername, rejectUnauthorized: false });
    await once(socket, 'secureConnect');
    expect(socket.getPeerCertificate().subject.CN).toBe(name);
  });

  const faults: readonly (readonly [string, () => KeyPair[], RegExp])[] = [
    ['none', () => [], /there is no certificate/],
    ['no PEM', () => [{ ...keyPair, certificate: 'x' }], /the certificate cannot be read/],
    ['no key', () => [{ ...keyPair, key: '' }], /the private key cannot be read/],
    [
      'another key',
      () => [keyPair, { ...keyPair, key: other.key }],
      /is not that of the certificate \(O=Tests, CN=loc/,
    ],
  ];
  it.each(faults)('that cannot be used are refused: %s', (_name, keyPairs, message) => {
    expect(() => createServerOf({ keyPairs: keyPairs() })).toThrow(
      expect.objectContaining({ code: 'TLB_ERR_CERTIFICATE', message: expect.stringMatching(message) }),
    );
  });

  it('to trust that cannot be read are refused', () => {
    expect(() => createSession('localhost', { ca: '-----BEGIN CERTIFICATE-----\nx\n' })).toThrow(
      expect.objectContaining({ code: 'TLB_ERR_CERTIFICATE' }),
    );
  });

  const bad: readonly (readonly [string, KeyPair, string, RegExp])[] = [
    ['has expired', makeKeyPair({ issuer: authority, isExpired: true }), 'localhost', /expired/],
    ['signed itself', makeKeyPair(), 'localhost', /self.signed/],
    ['has another name', keyPair, 'ftp.example.net', /ftp\.example\.net/],
    ['has another address', keyPair, '192.0.2.1', /192\.0\.2\.1/],
  ];
  it.each(bad)('of a server that %s are refused', async (_name, pair, host, message) => {
    const at = await listenNode({ cert: pair.certificate, key: pair.key });
    const ours = await connectTo(at, createSession(host));
    await until(() => ours.ear.isClosed);
    expect(ours.ear.errors[0]).toMatchObject({
      code: 'TLB_ERR_CERTIFICATE',
      message: expect.stringMatching(message),
    });
    expect([ours.facts, withoutDrain(ours)]).toEqual([[], ['close reset']]);
    const careless = await connectTo(at, createSession(host, { isVerified: false }));
    await until(() => careless.facts.length === 1);
  });

  it('of a server may be for its address', async () => {
    const ours = await connectTo(await listenNode({}), createSession(loopback));
    await until(() => ours.facts.length === 1);
  });

  it('of clients are asked for, verified and told', async () => {
    const clientCertificate = makeKeyPair({ name: 'alice, the first', issuer: authority });
    const stranger = makeKeyPair({ name: 'alice, the first' });
    for (const wanted of ['optional', 'required'] as const) {
      const server = createServerOf({ clientCa: authority.certificate, clientCertificate: wanted });
      const { port, secured } = await listen(() => server.openSession());
      connectNode(port, asClient(clientCertificate));
      await until(() => secured[0]?.facts.length === 1);
      expect(secured[0]?.facts[0]?.subject).toBe('CN=alice\\, the first,O=Tests');
      connectNode(port, asClient(stranger));
      await until(() => secured[1]?.ear.isClosed === true);
      expect([secured[1] && codesOf(secured[1]), secured[1]?.facts]).toEqual([['TLB_ERR_CERTIFICATE'], []]);
      connectNode(port);
      if (wanted === 'optional') {
        await until(() => secured[2]?.facts.length === 1);
      } else {
        await until(() => secured[2]?.ear.isClosed === true);
        expect([secured[2] && codesOf(secured[2]), secured[2]?.facts]).toEqual([['TLB_ERR_CERTIFICATE'], []]);
      }
    }
  });
});
