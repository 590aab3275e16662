import { describe, expect, it } from 'vitest';
import {
  blockOf,
  encodeAck,
  encodeData,
  encodeError,
  encodeOack,
  encodeRequest,
  ErrorCode,
  isError,
  Opcode,
} from '../../../src/tftp/packet.ts';
import { Lab, labService, Peer, vip } from '../../helpers/lab.ts';

const singlePort = { tids: { kind: 'single-port' } } as const;
const payload = (length: number): Uint8Array => new Uint8Array(length).fill(7);

/** A started lab with a client whose read of `file` was answered with DATA 1 by the TID of backend 0. */
function running(options: ConstructorParameters<typeof Lab>[0] = {}) {
  const lab = new Lab(options);
  lab.engine.start();
  const backend = lab.backend(0);
  const tid = lab.backendTid(0);
  const client = lab.client();
  lab.read(client, 'file');
  tid.send(encodeData(1, payload(512)), backend.last);
  lab.settle();
  return { lab, backend, tid, client, vipTid: client.last };
}

describe.each([
  ['ephemeral', {}],
  ['single port', { service: singlePort }],
])('relaying, %s', (mode, options) => {
  it('carries a read to its end, byte by byte', () => {
    const { lab, tid, client, vipTid } = running(options);
    expect(client.last.bytes).toEqual(encodeData(1, payload(512)));
    expect(client.last.address).toBe(vip);
    expect(client.last.port === 69).toBe(mode === 'single port');
    client.send(encodeAck(1), vipTid);
    lab.settle();
    expect(tid.last.bytes).toEqual(encodeAck(1));
    tid.answer(encodeData(2, payload(100)));
    lab.settle();
    client.send(encodeAck(2), vipTid);
    lab.settle();
    expect(tid.last.bytes).toEqual(encodeAck(2));
    expect(lab.ends).toMatchObject([
      { result: 'ok', backend: 'b0', bytes: 612, blocks: 2, op: 'read', file: 'file', tries: 1 },
    ]);
  });

  it('carries a write to its end', () => {
    const lab = new Lab(options);
    lab.engine.start();
    const backend = lab.backend(0);
    const tid = lab.backendTid(0);
    const client = lab.client();
    lab.write(client, 'up');
    tid.send(encodeAck(0), backend.last);
    lab.settle();
    client.answer(encodeData(1, payload(3)));
    lab.settle();
    expect(tid.last.bytes).toEqual(encodeData(1, payload(3)));
    tid.answer(encodeAck(1));
    lab.settle();
    expect(lab.ends).toMatchObject([{ result: 'ok', op: 'write', bytes: 3 }]);
  });

  it('tells a stranger ERROR 5 once a second, on both sides, and nobody else notices', () => {
    const { lab, tid, client, vipTid } = running(options);
    const backendFacing = { ...tidTarget(lab, tid, client, vipTid) };
    const received = [client.received.length, tid.received.length];
    const stranger = lab.client();
    const strangeServer = new Peer(lab.net.host(['10.9.9.9']), '10.9.9.9');
    for (let n = 0; n < 3; n++) {
      stranger.send(encodeData(2, payload(512)), vipTid);
      strangeServer.send(encodeData(2, payload(512)), backendFacing);
    }
    lab.settle();
    expect(stranger.received).toHaveLength(1);
    expect(blockOf(stranger.last.bytes)).toBe(ErrorCode.unknownTid);
    expect(strangeServer.received).toHaveLength(1);
    expect(blockOf(strangeServer.last.bytes)).toBe(ErrorCode.unknownTid);
    expect([client.received.length, tid.received.length]).toEqual(received);
    lab.net.advance(1_000);
    stranger.send(encodeAck(1), vipTid);
    lab.settle();
    expect(stranger.received).toHaveLength(2);
  });

  it('never answers a stranger’s ERROR', () => {
    const { lab, tid, client, vipTid } = running(options);
    const backendFacing = tidTarget(lab, tid, client, vipTid);
    const stranger = lab.client();
    stranger.send(encodeError(0, 'x'), vipTid);
    stranger.send(encodeError(5, 'x'), backendFacing);
    lab.settle();
    expect(stranger.received).toHaveLength(0);
  });

  it('relays an ERROR once and swallows the client’s answer to it', () => {
    const { lab, tid, client, vipTid } = running(options);
    client.send(encodeAck(1), vipTid);
    lab.settle();
    tid.answer(encodeError(ErrorCode.diskFull, 'full'));
    tid.answer(encodeError(ErrorCode.diskFull, 'full'));
    lab.settle();
    expect(client.received.filter(({ bytes }) => isError(bytes))).toHaveLength(1);
    client.send(Uint8Array.of(0, 5, 0, 0), vipTid);
    const before = tid.received.length;
    lab.settle();
    expect(tid.received.length).toBe(before);
    expect(lab.ends).toMatchObject([
      { result: 'error', error: { from: 'backend', code: 3, message: 'full' } },
    ]);
  });

  it('relays what comes after the end, and leaves nothing behind', () => {
    const { lab, tid, client, vipTid } = running(options);
    client.send(encodeAck(1), vipTid);
    lab.settle();
    tid.answer(encodeData(2, payload(0)));
    lab.settle();
    client.send(encodeAck(2), vipTid);
    lab.settle();
    expect(lab.scoreboard.active(0)).toBe(0);
    tid.answer(encodeData(2, payload(0)));
    lab.settle();
    expect(client.last.bytes).toEqual(encodeData(2, payload(0)));
    client.send(encodeAck(2), vipTid);
    lab.settle();
    expect(tid.received.filter(({ bytes }) => blockOf(bytes) === 2)).toHaveLength(2);
    lab.net.advance(15_000);
    expect(lab.scoreboard.holders(0)).toBe(0);
    expect(lab.ends).toHaveLength(1);
    lab.engine.stop();
    expect(lab.balancer.openSockets).toBe(0);
    expect(lab.net.pendingTimers).toBe(0);
  });

  it('swallows a request that is repeated while the backend’s reply is under way', () => {
    const lab = new Lab(options);
    lab.engine.start();
    const backends = [lab.backend(0), lab.backend(1)];
    const client = lab.client();
    for (let n = 0; n < 4; n++) lab.read(client, 'file');
    expect(backends.map(({ received }) => received.length)).toEqual([1, 0]);
    expect(lab.of('session.start')).toHaveLength(1);
  });

  it('hands out a new request from the same port to the next backend', () => {
    const { lab, client, vipTid } = running(options);
    const second = lab.backend(1);
    client.send(encodeAck(1), vipTid);
    lab.settle();
    lab.read(client, 'file');
    expect(second.received).toHaveLength(0);
    lab.net.advance(2_000);
    lab.read(client, 'file');
    expect(second.received).toHaveLength(1);
    expect(lab.of('session.start')).toHaveLength(2);
  });
});

/** Where the balancer listens for this session’s backend: learned from a datagram that it relays. */
function tidTarget(
  lab: Lab,
  tid: Peer,
  client: Peer,
  vipTid: { port: number; address: string },
): { port: number; address: string } {
  client.send(encodeAck(1), vipTid);
  lab.settle();
  return tid.last;
}

describe('single-port mode', () => {
  it('ends the old session before the new one begins', () => {
    const { lab, tid, client, vipTid } = running({ service: singlePort });
    client.send(encodeAck(1), vipTid);
    lab.settle();
    lab.read(client, 'other');
    expect(isError(tid.last.bytes)).toBe(true);
    expect(lab.ends).toMatchObject([{ result: 'client-abort', file: 'file' }]);
  });

  it('answers a datagram of no session with ERROR 5', () => {
    const { lab } = running({ service: singlePort });
    const client = lab.client();
    client.send(encodeAck(1), { address: vip, port: 69 });
    lab.settle();
    expect(blockOf(client.last.bytes)).toBe(ErrorCode.unknownTid);
    expect(lab.drops('unknown-session')).toBe(1);
  });
});

describe('ephemeral mode', () => {
  it('lets sessions of one client port live side by side', () => {
    const { lab, tid, client, vipTid } = running();
    const second = lab.backend(1);
    const secondTid = lab.backendTid(1);
    lab.read(client, 'other');
    secondTid.send(encodeData(1, payload(9)), second.last);
    lab.settle();
    expect(client.last.port).not.toBe(vipTid.port);
    client.send(encodeAck(1), vipTid);
    client.answer(encodeAck(1));
    lab.settle();
    expect(tid.last.bytes).toEqual(encodeAck(1));
    expect(secondTid.last.bytes).toEqual(encodeAck(1));
  });

  it('knows the repeated request of each session of one client port', () => {
    const lab = new Lab();
    lab.engine.start();
    const backends = [lab.backend(0), lab.backend(1)];
    const client = lab.client();
    for (const file of ['a', 'b', 'a', 'b']) lab.read(client, file);
    expect(backends.map(({ received }) => received.length)).toEqual([1, 1]);
    expect(lab.of('session.start')).toHaveLength(2);
    expect(lab.drops('repeated-request')).toBe(2);
  });

  it('keeps VIP TIDs in the range that it was given, and refuses when it is used up', () => {
    const lab = new Lab({ service: { tids: { kind: 'ephemeral', ports: { first: 5000, last: 5001 } } } });
    lab.engine.start();
    const backends = [lab.backend(0), lab.backend(1)];
    const clients = [lab.client(), lab.client(), lab.client()];
    for (const client of clients) lab.read(client, 'file');
    backends[0]?.answer(encodeData(1, payload(512)));
    backends[1]?.answer(encodeData(1, payload(512)));
    lab.settle();
    expect(
      clients
        .slice(0, 2)
        .map((client) => client.last.port)
        .toSorted((a, b) => a - b),
    ).toEqual([5000, 5001]);
    expect(isError(clients[2]?.last.bytes ?? payload(0))).toBe(true);
    expect(lab.of('session.reject')).toMatchObject([{ reason: 'no-resources' }]);
  });

  it('takes VIP TIDs of the range in no order that tells the next one', () => {
    const lab = new Lab({ service: { tids: { kind: 'ephemeral', ports: { first: 5000, last: 5999 } } } });
    lab.engine.start();
    const backends = [lab.backend(0), lab.backend(1)];
    const ports = Array.from({ length: 10 }, (_, n) => {
      const client = lab.client();
      lab.read(client, 'file');
      backends[n % 2]?.answer(encodeData(1, payload(512)));
      lab.settle();
      return client.last.port;
    });
    const steps = ports.slice(1).map((port, n) => port - (ports[n] ?? 0));
    expect(new Set(steps).size).toBeGreaterThan(5);
  });

  it('ended sessions give way when ports run out', () => {
    const lab = new Lab({ service: { tids: { kind: 'ephemeral', ports: { first: 5000, last: 5000 } } } });
    lab.engine.start();
    const backends = [lab.backend(0), lab.backend(1)];
    for (let n = 0; n < 4; n++) {
      const client = lab.client();
      lab.read(client, 'file');
      backends[n % 2]?.answer(encodeData(1, payload(5)));
      lab.settle();
      client.answer(encodeAck(1));
      lab.settle();
    }
    expect(lab.ends.map(({ result }) => result)).toEqual(['ok', 'ok', 'ok', 'ok']);
  });
});

describe('options', () => {
  it('block size, idle time and the log line follow the OACK', () => {
    const lab = new Lab();
    lab.engine.start();
    const backend = lab.backend(0);
    const client = lab.client();
    lab.read(client, 'file', { blksize: '1428', tsize: '0' });
    backend.answer(encodeOack({ blksize: '1024', tsize: '600' }));
    lab.settle();
    client.answer(encodeAck(0));
    lab.settle();
    backend.answer(encodeData(1, payload(600)));
    lab.settle();
    client.answer(encodeAck(1));
    lab.settle();
    expect(lab.ends).toMatchObject([
      {
        result: 'ok',
        asked: { blksize: '1428', tsize: '0' },
        granted: { blksize: '1024', tsize: '600' },
      },
    ]);
  });

  it.each(['blksize', 'blksize2'])('the final block is found by a granted %s', (option) => {
    const lab = new Lab();
    lab.engine.start();
    const backend = lab.backend(0);
    const client = lab.client();
    lab.read(client, 'file', { [option]: '1024' });
    backend.answer(encodeOack({ [option]: '1024' }));
    lab.settle();
    for (const [block, length] of [
      [0, 1024],
      [1, 1024],
      [2, 600],
    ] as const) {
      client.answer(encodeAck(block));
      lab.settle();
      backend.answer(encodeData(block + 1, payload(length)));
      lab.settle();
    }
    expect(lab.ends).toEqual([]);
    client.answer(encodeAck(3));
    lab.settle();
    expect(lab.ends).toMatchObject([{ result: 'ok', bytes: 2648 }]);
  });

  it('are edited where that is asked for, and the repeated request with them', () => {
    const requests = { ...labService.requests, maxBlksize: 1_000 };
    const lab = new Lab({ service: { requests } });
    lab.engine.start();
    const backend = lab.backend(0);
    const client = lab.client();
    lab.read(client, 'file', { blksize: '1428' });
    expect(backend.last.bytes).toEqual(encodeRequest(Opcode.rrq, 'file', 'octet', { blksize: '1000' }));
  });
});
