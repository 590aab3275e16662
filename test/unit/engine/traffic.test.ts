/** Requests of TFTP that are refused or sent somewhere by rule: what goes over the wire, and what is told. */
import { describe, expect, it } from 'vitest';
import { createAffinityTable } from '../../../src/engine/affinity-table.ts';
import { createRateTable } from '../../../src/engine/rate-table.ts';
import type { AccessRules, Affinity, Route, TftpService } from '../../../src/engine/snapshot.ts';
import { blockOf, encodeAck, encodeData, encodeError, ErrorCode, latin1 } from '../../../src/tftp/packet.ts';
import { decodeRequest } from '../../../src/tftp/request.ts';
import { Lab, labService, type Peer } from '../../helpers/lab.ts';

interface Scene {
  readonly lab: Lab;
  readonly servers: readonly Peer[];
}

function started(service: Partial<TftpService>, backends = 2): Scene {
  const lab = new Lab({ backends, service });
  lab.engine.start();
  return { lab, servers: Array.from({ length: backends }, (_, n) => lab.backend(n)) };
}

/** The names that each backend has been asked for. */
function asked({ servers }: Scene): string[][] {
  return servers.map(({ received }) => received.map(({ bytes }) => decodeRequest(bytes).file));
}

function network(text: string): { address: string; prefix: number } {
  const [address = '', prefix] = text.split('/');
  return { address, prefix: Number(prefix) };
}

function access(rules: Partial<AccessRules>): Partial<TftpService> {
  return { access: { allow: [], deny: [], ...rules } };
}

/** The code of the ERROR that a client got for its last request, or that it got nothing. */
function answerTo(client: Peer): number | 'nothing' {
  return client.received.length === 0 ? 'nothing' : blockOf(client.last.bytes);
}

/** Clients of a lab are 10.2.0.1, 10.2.0.2 and so on. */
const firstClient = network('10.2.0.1/32');

describe('a client that may not use the service', () => {
  it.each([
    ['is denied', { deny: [firstClient] }],
    ['is denied though its network is allowed', { deny: [firstClient], allow: [network('10.0.0.0/8')] }],
    ['is not among the allowed', { allow: [network('10.2.0.2/31')] }],
  ])('%s: it hears ERROR 2, and its neighbour is served', (_, rules) => {
    const scene = started(access(rules));
    const [client, neighbour] = [scene.lab.client(), scene.lab.client()];
    scene.lab.read(client, 'a');
    scene.lab.read(neighbour, 'b');
    expect([answerTo(client), answerTo(neighbour)]).toEqual([ErrorCode.accessViolation, 'nothing']);
    expect(asked(scene).flat()).toEqual(['b']);
    expect(scene.lab.of('session.reject')).toMatchObject([{ reason: 'denied-address', service: 'tftp' }]);
  });

  it('hears nothing if it was so configured', () => {
    const scene = started(access({ deny: [firstClient], answer: 'silent' }));
    const client = scene.lab.client();
    scene.lab.read(client, 'a');
    expect(answerTo(client)).toBe('nothing');
    expect(asked(scene).flat()).toEqual([]);
    expect(scene.lab.of('session.reject')).toHaveLength(1);
  });

  it('goes on with what it has begun before it was denied', () => {
    const scene = started({});
    const { lab, servers } = scene;
    const client = lab.client();
    lab.read(client, 'a');
    servers[0]?.answer(encodeData(1, new Uint8Array(512)));
    lab.settle();
    lab.engine.update(lab.snapshot(2, access({ deny: [firstClient] })));
    client.answer(encodeAck(1));
    lab.settle();
    expect(blockOf(servers[0]?.last.bytes ?? new Uint8Array(4))).toBe(1);
    lab.read(client, 'b');
    expect(lab.of('session.reject')).toMatchObject([{ reason: 'denied-address' }]);
  });
});

describe('a file that may not be asked for', () => {
  const files = { allow: ['boot/**'], deny: ['**/*.key'] };

  it.each(['etc/passwd', 'boot/a.key', '/boot//./a.key', 'boot\\a.key'])('%s: ERROR 2', (name) => {
    const scene = started(access({ files }));
    const client = scene.lab.client();
    scene.lab.read(client, name);
    scene.lab.read(client, 'boot/a');
    expect(answerTo(client)).toBe(ErrorCode.accessViolation);
    expect(asked(scene).flat()).toEqual(['boot/a']);
    expect(scene.lab.of('session.reject')).toMatchObject([{ reason: 'denied-name', file: name }]);
  });

  it('is passed over in silence if it was so configured', () => {
    const scene = started(access({ files, answer: 'silent' }));
    const client = scene.lab.client();
    scene.lab.read(client, 'x');
    expect(answerTo(client)).toBe('nothing');
  });
});

describe('too many requests', () => {
  const rate = { perSecond: 1, burst: 2 };
  const shared = () => ({ ...rate, table: createRateTable(0.5) });

  it('of a client get ERROR 0, those of its neighbour do not, and after a while none', () => {
    const scene = started({ rates: { perClient: shared() } });
    const { lab } = scene;
    const [client, neighbour] = [lab.client(), lab.client()];
    for (const file of ['a', 'b', 'c']) lab.read(client, file);
    lab.read(neighbour, 'd');
    expect([answerTo(client), answerTo(neighbour)]).toEqual([ErrorCode.notDefined, 'nothing']);
    expect(latin1(client.last.bytes, 4, client.last.bytes.length)).toContain('too many requests');
    expect(asked(scene).flat().toSorted()).toEqual(['a', 'b', 'd']);
    expect(lab.of('session.reject')).toMatchObject([{ reason: 'rate-per-client' }]);
    lab.net.advance(900);
    lab.read(client, 'e');
    lab.net.advance(150);
    lab.read(client, 'f');
    expect(lab.of('session.reject')).toHaveLength(2);
    expect(asked(scene).flat()).toContain('f');
  });

  it('of a network are refused together, in silence if it was so configured', () => {
    const perPrefix = { ...shared(), ipv4: 24, ipv6: 64 };
    const limits = { ...labService.limits, answer: 'silent' as const };
    const scene = started({ rates: { perPrefix }, limits });
    const clients = [scene.lab.client(), scene.lab.client(), scene.lab.client()];
    for (const client of clients) scene.lab.read(client, 'a');
    expect(clients.map(answerTo)).toEqual(['nothing', 'nothing', 'nothing']);
    expect(asked(scene).flat()).toEqual(['a', 'a']);
    expect(scene.lab.of('session.reject')).toMatchObject([{ reason: 'rate-per-prefix' }]);
  });

  it('are not those that a session repeats', () => {
    const scene = started({ rates: { perClient: shared() } });
    const client = scene.lab.client();
    for (let n = 0; n < 10; n += 1) scene.lab.read(client, 'a');
    expect(scene.lab.of('session.reject')).toEqual([]);
  });
});

describe('a limit whose answer is silence', () => {
  it.each([
    ['max-sessions', { total: 2, perClient: 0, perBackend: 0 }],
    ['max-sessions-per-client', { total: 0, perClient: 2, perBackend: 0 }],
    ['no-backend', { total: 0, perClient: 0, perBackend: 1 }],
  ] as const)('%s: nothing on the wire', (reason, counts) => {
    const { lab } = started({ limits: { ...counts, answer: 'silent' } });
    const client = lab.client();
    for (const file of ['a', 'b', 'c']) lab.read(client, file);
    expect(answerTo(client)).toBe('nothing');
    expect(lab.of('session.reject')).toMatchObject([{ reason, file: 'c' }]);
  });

  it('is none where no server is there at all', () => {
    const lab = new Lab({ backends: 0, service: { limits: { ...labService.limits, answer: 'silent' } } });
    lab.engine.start();
    const client = lab.client();
    lab.read(client, 'a');
    expect(answerTo(client)).toBe(ErrorCode.notDefined);
  });
});

function affinity(): Affinity {
  return { duration: 10_000, key: 1, table: createAffinityTable(0.5) };
}

/** Reads files, each of which is answered with an error. Returns which backend each went to. */
function shares(scene: Scene, client: Peer, files: readonly string[]): number[] {
  return files.map((file) => {
    scene.lab.read(client, file);
    const at = scene.servers.findIndex(({ received }) =>
      received.some(({ bytes }) => decodeRequest(bytes).file === file),
    );
    scene.servers[at]?.answer(encodeError(ErrorCode.fileNotFound, ''));
    scene.lab.settle();
    return at;
  });
}

describe('affinity', () => {
  it('keeps a client with its backend, for its time after the last session', () => {
    const scene = started({ affinity: affinity() }, 3);
    const [one, other] = [scene.lab.client(), scene.lab.client()];
    expect(shares(scene, one, ['a', 'b', 'c'])).toEqual([0, 0, 0]);
    expect(shares(scene, other, ['d', 'e'])).toEqual([1, 1]);
    scene.lab.net.advance(9_000);
    expect(shares(scene, one, ['f'])).toEqual([0]);
    scene.lab.net.advance(9_000);
    expect(shares(scene, one, ['g'])).toEqual([0]);
    scene.lab.net.advance(11_000);
    expect(shares(scene, one, ['h'])).toEqual([2]);
  });

  it('lasts as long as a session does, however long', () => {
    const scene = started({ affinity: affinity() }, 3);
    const { lab } = scene;
    const client = lab.client();
    lab.write(client, 'long');
    for (let second = 0; second < 30; second += 1) {
      scene.servers[0]?.answer(encodeAck(second));
      lab.net.advance(1_000);
    }
    expect(shares(scene, client, ['b'])).toEqual([0]);
    lab.engine.stop();
    expect(lab.net.pendingTimers).toBe(0);
  });

  it('gives way where the backend is ejected, draining or full', () => {
    const scene = started({ affinity: affinity(), limits: { ...labService.limits, perBackend: 1 } }, 2);
    const { lab } = scene;
    const client = lab.client();
    expect(shares(scene, client, ['a'])).toEqual([0]);
    lab.scoreboard.setEjected(0, true);
    expect(shares(scene, client, ['b'])).toEqual([1]);
    lab.scoreboard.setEjected(0, false);
    lab.scoreboard.setEnabled(1, false);
    expect(shares(scene, client, ['c'])).toEqual([0]);
    lab.scoreboard.setEnabled(1, true);
    lab.read(client, 'd');
    expect(shares(scene, client, ['e'])).toEqual([1]);
  });

  it('follows a client to the backend that took over', () => {
    const scene = started({ affinity: affinity() }, 2);
    const { lab } = scene;
    const client = lab.client();
    lab.read(client, 'a');
    lab.net.advance(1_100);
    scene.servers[1]?.answer(encodeError(ErrorCode.fileNotFound, ''));
    lab.settle();
    lab.scoreboard.setEjected(0, false);
    expect(shares(scene, client, ['b', 'c'])).toEqual([1, 1]);
  });
});

function route(said: Partial<Route>): Route {
  return { row: 0, ...said };
}

describe('routes', () => {
  it('send requests to pools by operation and name, the first that is for it', () => {
    const routes = [
      route({ op: 'write', backends: ['b2'] }),
      route({ files: ['big/**'], backends: ['b1'] }),
      route({ files: ['**/x'], backends: ['b0'] }),
    ];
    const scene = started({ routes }, 3);
    const { lab } = scene;
    lab.write(lab.client(), 'big/w');
    lab.read(lab.client(), 'big/x');
    lab.read(lab.client(), '/big/y');
    lab.read(lab.client(), 'a/x');
    expect(asked(scene)).toEqual([['a/x'], ['big/x', '/big/y'], ['big/w']]);
  });

  it('have no other backends than their own', () => {
    const scene = started({ routes: [route({ backends: ['b1'] })] });
    const { lab } = scene;
    lab.scoreboard.setEnabled(1, false);
    const client = lab.client();
    lab.read(client, 'a');
    expect(answerTo(client)).toBe(ErrorCode.notDefined);
    expect(lab.of('session.reject')).toMatchObject([{ reason: 'no-backend' }]);
  });

  it('name all addresses of a host by its name', () => {
    const scene = started({ routes: [route({ backends: ['b'] })] });
    const backends = [0, 1].map((index) => ({
      index,
      name: `b@10.1.0.${index + 1}`,
      address: `10.1.0.${index + 1}`,
      port: 69,
      weight: 1,
    }));
    scene.lab.engine.update(
      scene.lab.snapshot(2, { pool: { backends }, routes: [route({ backends: ['b'] })] }),
    );
    for (const file of ['a', 'b']) scene.lab.read(scene.lab.client(), file);
    expect(asked(scene)).toEqual([['a'], ['b']]);
  });

  it('rewrite names, and tell both', () => {
    const scene = started({ routes: [route({ rewrite: 'hosts/{client_ip}/{name}' })] }, 1);
    const { lab, servers } = scene;
    lab.read(lab.client(), '/cfg/a', { blksize: '1024', tsize: '0' });
    const request = decodeRequest(servers[0]?.last.bytes ?? new Uint8Array());
    expect(request.file).toBe('hosts/10.2.0.1/cfg/a');
    expect(request.options.map(({ name, value }) => `${name}=${value}`)).toEqual(['blksize=1024', 'tsize=0']);
    servers[0]?.answer(encodeError(ErrorCode.fileNotFound, ''));
    lab.settle();
    expect(lab.ends).toMatchObject([{ file: '/cfg/a', forwarded: 'hosts/10.2.0.1/cfg/a' }]);
  });

  it.each([
    ['.{name}', './secret'],
    ['{name}x', 'f'.repeat(2_039)],
    ['{name}', '///'],
  ])('never rewrite to what climbs, is too long or is nothing: %s', (rewrite, file) => {
    const scene = started({ routes: [route({ rewrite })] });
    const client = scene.lab.client();
    scene.lab.read(client, file);
    expect(answerTo(client)).toBe(ErrorCode.accessViolation);
    expect(asked(scene).flat()).toEqual([]);
    expect(scene.lab.of('session.reject')).toMatchObject([{ reason: 'forbidden-name' }]);
  });
});
