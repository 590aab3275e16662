import { constants } from 'node:crypto';
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { bytes } from '../../contract/net-tcp-scene.ts';
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
  type Secured,
  versions,
  withoutDrain,
} from './tls-scene.ts';

closeAfterEach();

const isDone = ({ ear, facts }: Secured): boolean => facts.length > 0 || ear.isClosed;

describe.each(versions)('resumption with %s', (version) => {
  const only = { minVersion: version, maxVersion: version };

  it('is what our data connections do, 200 in a row', async () => {
    const resumed: boolean[] = [];
    const at = await listenNode(only, (socket) => {
      resumed.push(socket.isSessionReused());
      socket.write('200\r\n');
      socket.resume().on('end', () => socket.end());
    });
    const session = createSession();
    const control = await connectTo(at, session);
    // The tickets are in front of the first reply.
    await until(() => control.ear.length > 0);
    for (let n = 0; n < 200; n++) {
      const data = await connectTo(at, session, 'data');
      data.socket.write(bytes('file'));
      data.socket.end();
      await until(() => data.ear.isClosed);
      expect(withoutDrain(data)).toEqual(['end', 'close clean']);
    }
    expect([resumed[0], resumed.slice(1).every(Boolean), resumed.length]).toEqual([false, true, 201]);
  });

  it.each(['prefer', 'require'] as const)('proves that a client is the same: %s', async (dataResumption) => {
    const server = createServerOf({
      dataResumption,
      keyPairs: [makeKeyPair({ names: 'DNS:first' }), keyPair],
    });
    const sessions = [server.openSession(), server.openSession()];
    const controls = await listen((index) => sessions[index] ?? server.openSession());
    const tickets: Buffer[] = [];
    for (let n = 0; n < 2; n++) {
      const { socket } = connectNode(controls.port, only);
      const [ticket] = (await once(socket, 'session')) as [Buffer];
      tickets.push(ticket);
    }
    const [first] = sessions;
    if (first === undefined) throw new Error('there is no session');
    const { port, secured } = await listen(() => first, 'data');
    const [own, foreign] = tickets;
    for (const session of [own, foreign, undefined])
      connectNode(port, { ...only, ...(session && { session }) });
    await until(() => secured.length === 3);
    await until(() => secured.every(isDone));
    const outcomes = secured.map((one) => one.facts[0]?.isResumed ?? codesOf(one)[0]).map(String);
    const refused = dataResumption === 'require' ? 'TLB_ERR_TLS_NOT_RESUMED' : 'false';
    expect(outcomes.toSorted()).toEqual(['true', refused, refused].toSorted());
  });

  it('does not stand in for the certificate that a client must have', async () => {
    const server = createServerOf({ clientCa: authority.certificate, clientCertificate: 'required' });
    const data = await listen(() => server.openSession(), 'data');
    const [session] = (await once(connectNode(data.port, only).socket, 'session')) as [Buffer];
    const { port, secured } = await listen(() => server.openSession());
    connectNode(port, { ...only, session });
    await until(() => secured.some(({ ear }) => ear.isClosed));
    expect(secured.flatMap(codesOf)).toEqual(['TLB_ERR_CERTIFICATE']);
    expect(secured.flatMap(({ facts }) => facts)).toEqual([]);
  });

  // How OpenSSL writes down the lifetime that it was told: field 9 of the session, an integer of DER.
  it.each([
    ['off', 'two hours', 'a90402021c20'],
    ['prefer', 'seven days', 'a9050203093a80'],
    ['require', 'seven days', 'a9050203093a80'],
  ] as const)('%s: is possible for %s', async (dataResumption, _, lifetime) => {
    const server = createServerOf({ dataResumption });
    const { port } = await listen(() => server.openSession());
    const [session] = (await once(connectNode(port, only).socket, 'session')) as [Buffer];
    const hint = Buffer.from(lifetime, 'hex');
    expect(session.includes(hint)).toBe(true);
  });
});

it('with TLSv1.3 brings a new ticket each time, for clients that use none twice', async () => {
  const only = { minVersion: 'TLSv1.3' } as const;
  const server = createServerOf({ dataResumption: 'require' });
  const session = server.openSession();
  const { port: controlPort } = await listen(() => session);
  const { port, secured } = await listen(() => session, 'data');
  const used = new Set<string>();
  let [ticket] = (await once(connectNode(controlPort, only).socket, 'session')) as [Buffer];
  for (let n = 0; n < 10; n++) {
    used.add(ticket.toString('base64'));
    [ticket] = (await once(connectNode(port, { ...only, session: ticket }).socket, 'session')) as [Buffer];
  }
  await until(() => secured.every(isDone));
  expect([used.size, secured.map(({ facts }) => facts[0]?.isResumed)]).toEqual([10, Array(10).fill(true)]);
});

describe('a client of TLS 1.2 that takes no tickets', () => {
  const only = { maxVersion: 'TLSv1.2', secureOptions: constants.SSL_OP_NO_TICKET } as const;
  const certificate = makeKeyPair({ name: 'alice', issuer: authority });

  it.each(['off', 'prefer', 'require'] as const)('resumes its own session alone: %s', async (mode) => {
    const server = createServerOf({ dataResumption: mode, clientCa: authority.certificate });
    const sessions = [server.openSession(), server.openSession()];
    const controls = await listen((index) => sessions[index] ?? server.openSession());
    const known: Buffer[] = [];
    for (let n = 0; n < 2; n++) {
      const { certificate: cert, key } = certificate;
      const [session] = (await once(
        connectNode(controls.port, { ...only, cert, key }).socket,
        'session',
      )) as [Buffer];
      known.push(session);
    }
    const [first] = sessions;
    if (first === undefined) throw new Error('there is no session');
    const { port, secured } = await listen(() => first, 'data');
    const [own, foreign] = known;
    const outcomes: string[] = [];
    for (const session of [own, foreign, own]) {
      connectNode(port, { ...only, ...(session && { session }) });
      await until(() => secured.length === outcomes.length + 1 && secured.every(isDone));
      const last = secured.at(-1);
      outcomes.push(String(last?.facts[0]?.isResumed ?? (last && codesOf(last)[0])));
    }
    const refused = mode === 'require' ? 'TLB_ERR_TLS_NOT_RESUMED' : 'false';
    expect(outcomes).toEqual(['true', refused, 'true']);
  });

  it('has only the last few sessions kept', async () => {
    const server = createServerOf({ dataResumption: 'prefer' });
    const session = server.openSession();
    const { port, secured } = await listen(() => session, 'data');
    const known: Buffer[] = [];
    for (let n = 0; n < 8; n++) {
      const [next] = (await once(connectNode(port, only).socket, 'session')) as [Buffer];
      known.push(next);
    }
    for (const session of [known.at(0), known.at(-1)]) {
      connectNode(port, { ...only, ...(session && { session }) });
      const count = secured.length;
      await until(() => secured.length > count && secured.every(isDone));
    }
    expect(secured.slice(8).map(({ facts }) => facts[0]?.isResumed)).toEqual([false, true]);
  });
});
