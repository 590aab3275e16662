import { describe, expect, it } from 'vitest';
import {
  blockOf,
  encodeAck,
  encodeData,
  encodeError,
  encodeOack,
  encodeRequest,
  ErrorCode,
  Opcode,
} from '../../../src/tftp/packet.ts';
import { Lab, labService, type Peer, vip } from '../../helpers/lab.ts';

const listener = { address: vip, port: 69 };

function started(service: ConstructorParameters<typeof Lab>[0] = {}): Lab {
  const lab = new Lab(service);
  lab.engine.start();
  return lab;
}

function answerCode(client: Peer): number | undefined {
  return client.received.length === 0 ? undefined : blockOf(client.last.bytes);
}

describe('requests that are refused', () => {
  it.each([
    ['malformed', '\0\x01no end', ErrorCode.illegalOperation],
    ['malformed', '\0\x01f\0image\0', ErrorCode.illegalOperation],
    ['forbidden-name', '\0\x01../etc/passwd\0octet\0', ErrorCode.accessViolation],
    ['forbidden-name', '\0\x01a\\..\\b\0octet\0', ErrorCode.accessViolation],
    ['forbidden-name', '\0\x02a/..\0octet\0', ErrorCode.accessViolation],
    ['read-only', '\0\x02a\0octet\0', ErrorCode.accessViolation],
  ] as const)('%s %j', (reason, request, code) => {
    const lab = started({ service: { requests: { ...labService.requests, readOnly: true } } });
    const backends = [lab.backend(0), lab.backend(1)];
    const client = lab.client();
    client.send(Buffer.from(request, 'latin1'), listener);
    lab.settle();
    expect(answerCode(client)).toBe(code);
    expect(lab.of('session.reject')).toMatchObject([{ reason }]);
    expect(backends.map((backend) => backend.received.length)).toEqual([0, 0]);
  });

  it('dots inside a name are no way up', () => {
    const lab = started();
    const backend = lab.backend(0);
    lab.read(lab.client(), 'a..b/.../..c');
    expect(backend.received).toHaveLength(1);
  });
});

describe('what is kept of a hostile peer’s packets', () => {
  it('is bounded for a request', () => {
    const lab = started();
    const backend = lab.backend(0);
    lab.read(lab.client(), 'f'.repeat(2_000));
    expect(backend.received).toHaveLength(1);
    const client = lab.client();
    lab.read(client, 'f'.repeat(2_100));
    expect(answerCode(client)).toBe(ErrorCode.illegalOperation);
    expect(lab.of('session.reject')).toMatchObject([{ reason: 'malformed' }]);
    expect(backend.received).toHaveLength(1);
  });

  it('is bounded for an OACK, which is relayed as it is', () => {
    const lab = started();
    const backend = lab.backend(0);
    const client = lab.client();
    lab.read(client, 'file', { tsize: '0' });
    const oack = encodeOack({ blksize: '1024', tsize: '9'.repeat(60_000) });
    backend.answer(oack);
    lab.settle();
    expect(client.last.bytes).toEqual(oack);
    client.answer(encodeError(ErrorCode.optionRefused, ''));
    lab.settle();
    expect(lab.ends).toMatchObject([{ granted: { blksize: '1024' } }]);
    expect(JSON.stringify(lab.ends).length).toBeLessThan(4_000);
  });
});

describe('session limits', () => {
  it.each([
    ['max-sessions', { total: 2, perClient: 0, perBackend: 0 }],
    ['max-sessions-per-client', { total: 0, perClient: 2, perBackend: 0 }],
    ['no-backend', { total: 0, perClient: 0, perBackend: 1 }],
  ] as const)('%s', (reason, limits) => {
    const lab = started({ service: { limits } });
    lab.backend(0);
    lab.backend(1);
    const client = lab.client();
    for (const file of ['a', 'b', 'c']) lab.read(client, file);
    expect(answerCode(client)).toBe(ErrorCode.notDefined);
    expect(lab.of('session.reject')).toMatchObject([{ reason, file: 'c' }]);
  });

  it('free a place when a session ends', () => {
    const lab = started({ service: { limits: { total: 1, perClient: 1, perBackend: 1 } } });
    const backend = lab.backend(0);
    lab.backend(1);
    const client = lab.client();
    lab.read(client, 'a');
    backend.answer(encodeError(ErrorCode.fileNotFound, ''));
    lab.settle();
    lab.read(client, 'b');
    expect(lab.of('session.reject')).toEqual([]);
    expect(lab.of('session.start')).toHaveLength(2);
  });
});

describe('datagrams that are no requests', () => {
  it.each([
    ['an ACK of nothing', encodeAck(1), ErrorCode.unknownTid],
    ['DATA of nothing', encodeData(1, new Uint8Array(3)), ErrorCode.unknownTid],
    ['an unknown opcode', Uint8Array.of(0, 9, 0, 0), ErrorCode.illegalOperation],
    ['one byte', Uint8Array.of(1), ErrorCode.illegalOperation],
    ['an ERROR', encodeError(0, 'x'), undefined],
    ['nothing', new Uint8Array(0), ErrorCode.illegalOperation],
  ])('%s', (_, bytes, code) => {
    const lab = started();
    const client = lab.client();
    for (let n = 0; n < 5; n++) client.send(bytes, listener);
    lab.settle();
    expect(answerCode(client)).toBe(code);
    expect(client.received.length).toBe(code === undefined ? 0 : 1);
    expect(lab.events.filter(({ kind }) => kind !== 'listener.up')).toEqual([]);
  });

  it('forged sources make the balancer answer a bounded number of times', () => {
    const lab = started();
    const clients = Array.from({ length: 2_000 }, () => lab.client());
    for (const client of clients) client.send(encodeAck(1), listener);
    lab.settle();
    const answered = clients.filter((client) => client.received.length > 0).length;
    expect(answered).toBeGreaterThan(500);
    expect(answered).toBeLessThan(1_500);
  });
});

describe('a client that never answers', () => {
  it('costs its backend’s repeats, and gets three of them', () => {
    const lab = started();
    const backend = lab.backend(0);
    const client = lab.client();
    lab.read(client, 'file');
    for (let n = 0; n < 10; n++) backend.answer(encodeData(1, new Uint8Array(512)));
    lab.settle();
    expect(client.received).toHaveLength(3);
    expect(lab.drops('unproven-client')).toBe(7);
  });
});

describe('draining and stopping', () => {
  it('a draining engine takes no new request and lets running ones go on', () => {
    const lab = started();
    const backend = lab.backend(0);
    const [client, late] = [lab.client(), lab.client()];
    lab.read(client, 'file');
    lab.engine.drain();
    backend.answer(encodeData(1, new Uint8Array(512)));
    lab.settle();
    lab.read(late, 'file');
    expect([client.received.length, late.received.length]).toEqual([1, 0]);
    expect(lab.of('session.reject')).toMatchObject([{ reason: 'draining' }]);
  });

  it.each(['ephemeral', 'single-port'] as const)('a stopping engine tells both ends (%s)', (kind) => {
    const tids = kind === 'ephemeral' ? ({ kind, ports: undefined } as const) : ({ kind } as const);
    const lab = started({ service: { tids } });
    const backend = lab.backend(0);
    const client = lab.client();
    lab.read(client, 'file');
    backend.answer(encodeData(1, new Uint8Array(512)));
    lab.settle();
    lab.engine.stop();
    lab.settle();
    expect(answerCode(client)).toBe(ErrorCode.notDefined);
    expect(answerCode(backend)).toBe(ErrorCode.notDefined);
    expect(lab.ends).toMatchObject([{ result: 'error', error: { from: 'balancer' } }]);
    expect(lab.balancer.openSockets).toBe(0);
    expect(lab.net.pendingTimers).toBe(0);
  });
});

describe('running out of descriptors', () => {
  it('refuses the request with a clear error, and serves again when some are free', () => {
    const lab = started();
    const backend = lab.backend(0);
    lab.balancer.descriptorLimit = lab.balancer.openSockets + 1;
    const client = lab.client();
    lab.read(client, 'a');
    expect(answerCode(client)).toBe(ErrorCode.notDefined);
    expect(lab.of('session.reject')).toMatchObject([{ reason: 'no-resources' }]);
    expect(lab.balancer.openSockets).toBe(1);
    lab.balancer.descriptorLimit = Infinity;
    lab.backend(1);
    client.send(encodeRequest(Opcode.rrq, 'b', 'octet'), listener);
    client.send(encodeRequest(Opcode.rrq, 'c', 'octet'), listener);
    lab.settle();
    expect(backend.received).toHaveLength(1);
  });
});
