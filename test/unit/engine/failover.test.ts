import { describe, expect, it } from 'vitest';
import {
  blockOf,
  encodeAck,
  encodeData,
  encodeError,
  encodeOack,
  ErrorCode,
  isError,
} from '../../../src/tftp/packet.ts';
import { Lab, labService, Peer } from '../../helpers/lab.ts';

const block = encodeData(1, new Uint8Array(512));
const retryNotFound = { requests: { ...labService.requests, retryNotFound: true } };

function started(options: ConstructorParameters<typeof Lab>[0] = {}): Lab {
  const lab = new Lab(options);
  lab.engine.start();
  return lab;
}

describe('a backend that refuses', () => {
  it.each(['read', 'write'] as const)('is passed over at once, for a %s', (op) => {
    const lab = started();
    const alive = lab.backend(1);
    const client = lab.client();
    lab[op](client, 'file');
    lab.settle();
    expect(alive.received).toHaveLength(1);
    expect(client.received).toHaveLength(0);
    expect(lab.scoreboard.isEjected(0)).toBe(true);
    expect(lab.of('session.failover')).toMatchObject([{ from: 'b0', to: 'b1', reason: 'refused' }]);
    expect(lab.of('backend.suspect')).toMatchObject([{ backend: 'b0', reason: 'refused' }]);
    expect([lab.scoreboard.active(0), lab.scoreboard.active(1)]).toEqual([0, 1]);
  });

  it('is tried last while it is ejected', () => {
    const lab = started({ backends: 3 });
    const alive = [lab.backend(1), lab.backend(2)];
    for (let n = 0; n < 10; n++) lab.read(lab.client(), 'file');
    lab.settle();
    expect(lab.of('session.failover')).toHaveLength(1);
    expect(alive.map((backend) => backend.received.length)).toEqual([5, 5]);
  });

  it('and no other left: the client gets ERROR 0 and the result is no-backend', () => {
    const lab = started();
    const client = lab.client();
    lab.read(client, 'file');
    lab.settle();
    expect(client.received).toHaveLength(1);
    expect(blockOf(client.last.bytes)).toBe(ErrorCode.notDefined);
    expect(lab.ends).toMatchObject([{ result: 'no-backend', tries: 2, error: { from: 'balancer' } }]);
    lab.net.advance(5_000);
    expect([lab.scoreboard.holders(0), lab.scoreboard.holders(1)]).toEqual([0, 0]);
  });

  it('after its first reply changes nothing for the session', () => {
    const lab = started();
    const backend = lab.backend(0);
    const client = lab.client();
    lab.read(client, 'file');
    backend.answer(block);
    lab.settle();
    backend.socket.close();
    client.answer(encodeAck(1));
    lab.settle();
    lab.settle();
    expect(client.received).toHaveLength(1);
    expect(lab.of('session.failover')).toHaveLength(0);
    lab.net.advance(70_000);
    expect(lab.ends).toMatchObject([{ result: 'timeout', backend: 'b0' }]);
  });
});

describe('a backend that is silent', () => {
  it('is passed over after the try interval, for a read, and ejected when another one answers', () => {
    const lab = started();
    const silent = lab.backend(0);
    const alive = lab.backend(1);
    const client = lab.client();
    lab.read(client, 'file');
    lab.net.advance(900);
    expect([silent.received.length, alive.received.length]).toEqual([1, 0]);
    lab.net.advance(200);
    expect(alive.received).toHaveLength(1);
    expect(lab.scoreboard.isEjected(0)).toBe(false);
    alive.answer(block);
    lab.settle();
    expect(client.last.bytes).toEqual(block);
    expect(lab.scoreboard.isEjected(0)).toBe(true);
  });

  it('is told ERROR 5 when it answers after another one has', () => {
    const lab = started();
    const late = lab.backend(0);
    const alive = lab.backend(1);
    const client = lab.client();
    lab.read(client, 'file');
    lab.net.advance(1_100);
    alive.answer(block);
    lab.settle();
    late.answer(block);
    lab.settle();
    expect(blockOf(late.last.bytes)).toBe(ErrorCode.unknownTid);
    expect(isError(late.last.bytes)).toBe(true);
    expect(client.received).toHaveLength(1);
  });

  it('may still serve the session while nobody else has answered', () => {
    const lab = started();
    const slow = lab.backend(0);
    lab.backend(1);
    const client = lab.client();
    lab.read(client, 'file');
    lab.net.advance(1_500);
    slow.answer(block);
    lab.settle();
    expect(client.last.bytes).toEqual(block);
    expect([lab.scoreboard.isEjected(0), lab.scoreboard.isEjected(1)]).toEqual([false, false]);
    expect([lab.scoreboard.active(0), lab.scoreboard.active(1)]).toEqual([1, 0]);
  });

  it('and everybody else too: nobody is ejected, and the session times out', () => {
    const lab = started();
    const silent = [lab.backend(0), lab.backend(1)];
    lab.read(lab.client(), 'nobody answers this');
    lab.net.advance(20_000);
    expect(silent.map((backend) => backend.received.length)).toEqual([1, 1]);
    expect([lab.scoreboard.isEjected(0), lab.scoreboard.isEjected(1)]).toEqual([false, false]);
    expect(lab.ends).toMatchObject([{ result: 'timeout', tries: 2 }]);
  });

  it('is waited for where the request is a write', () => {
    const lab = started();
    const silent = lab.backend(0);
    const other = lab.backend(1);
    const client = lab.client();
    lab.write(client, 'file');
    lab.net.advance(5_000);
    lab.write(client, 'file');
    expect([silent.received.length, other.received.length]).toEqual([2, 0]);
  });

  it('is asked again in its turn when the client repeats and everybody is silent', () => {
    const lab = started();
    const silent = [lab.backend(0), lab.backend(1)];
    const client = lab.client();
    lab.read(client, 'file');
    for (const expected of [
      [1, 1],
      [2, 1],
      [2, 2],
      [3, 2],
    ]) {
      lab.net.advance(3_000);
      expect(silent.map((backend) => backend.received.length)).toEqual(expected);
      lab.read(client, 'file');
    }
    expect(lab.of('session.start')).toHaveLength(1);
  });

  it('carries the session when the one that was asked after it refuses', () => {
    const lab = started();
    lab.backend(0);
    lab.read(lab.client(), 'file');
    lab.net.advance(1_200);
    expect([lab.scoreboard.active(0), lab.scoreboard.active(1)]).toEqual([1, 0]);
    expect([lab.scoreboard.holders(0), lab.scoreboard.holders(1)]).toEqual([1, 0]);
  });

  it('is not the end where the next one refuses', () => {
    const lab = started();
    const slow = lab.backend(0);
    const client = lab.client();
    lab.read(client, 'file');
    lab.net.advance(1_200);
    expect(client.received).toHaveLength(0);
    slow.answer(block);
    lab.settle();
    expect(client.last.bytes).toEqual(block);
  });
});

describe('a file that one backend does not have', () => {
  const notFound = encodeError(ErrorCode.fileNotFound, 'not here');

  it('is not there, by default', () => {
    const lab = started();
    const backend = lab.backend(0);
    const client = lab.client();
    lab.read(client, 'file');
    backend.answer(notFound);
    lab.settle();
    expect(client.last.bytes).toEqual(notFound);
    expect(lab.ends).toMatchObject([{ result: 'not-found', error: { from: 'backend', code: 1 } }]);
  });

  it('is asked of the others with --retry-not-found', () => {
    const lab = started({ service: retryNotFound });
    const [without, having] = [lab.backend(0), lab.backend(1)];
    const client = lab.client();
    lab.read(client, 'file');
    without.answer(notFound);
    lab.settle();
    having.answer(encodeOack({ tsize: '1' }));
    lab.settle();
    expect(client.received.map(({ bytes }) => bytes)).toEqual([encodeOack({ tsize: '1' })]);
    expect(lab.scoreboard.isEjected(0)).toBe(false);
  });

  it('is not there when nobody has it, and the client hears that once', () => {
    const lab = started({ service: retryNotFound });
    const backends = [lab.backend(0), lab.backend(1)];
    const client = lab.client();
    lab.read(client, 'file');
    for (const backend of backends) {
      backend.answer(notFound);
      lab.settle();
    }
    expect(client.received.map(({ bytes }) => bytes)).toEqual([notFound]);
    expect(lab.ends).toMatchObject([{ result: 'not-found', tries: 2 }]);
  });

  it('is not there, and the client hears it in time, when the one that lacks it is slow and the next is silent', () => {
    const lab = started({ service: retryNotFound });
    const slow = lab.backend(0);
    lab.backend(1);
    const client = lab.client();
    lab.read(client, 'file');
    lab.net.advance(1_200);
    slow.answer(notFound);
    lab.settle();
    expect(client.received).toHaveLength(0);
    lab.net.advance(1_000);
    expect(client.received.map(({ bytes }) => bytes)).toEqual([notFound]);
    expect(lab.ends).toMatchObject([{ result: 'not-found', tries: 2 }]);
  });

  it('is not there, and a slow backend that answers after that is told to stop', () => {
    const lab = started({ service: retryNotFound });
    const slow = lab.backend(0);
    const without = lab.backend(1);
    const client = lab.client();
    lab.read(client, 'file');
    lab.net.advance(1_200);
    without.answer(notFound);
    lab.settle();
    const late = lab.backendTid(0);
    late.send(block, slow.last);
    lab.settle();
    expect(client.received.map(({ bytes }) => bytes)).toEqual([notFound]);
    expect(late.received.map(({ bytes }) => blockOf(bytes))).toEqual([ErrorCode.unknownTid]);
    expect(lab.drops('foreign-backend')).toBe(1);
  });

  it('is not there when the other backends are silent or refuse', () => {
    const lab = started({ service: retryNotFound, backends: 3 });
    const without = lab.backend(0);
    lab.backend(1);
    const client = lab.client();
    lab.read(client, 'file');
    without.answer(notFound);
    lab.net.advance(1_500);
    expect(client.received.map(({ bytes }) => bytes)).toEqual([notFound]);
  });
});

describe('the first reply', () => {
  it('may come from the request port', () => {
    const lab = started();
    const backend = lab.backend(0);
    const client = lab.client();
    lab.read(client, 'file');
    backend.answer(block);
    lab.settle();
    client.answer(encodeAck(1));
    lab.settle();
    expect(backend.last.bytes).toEqual(encodeAck(1));
  });

  it('is dropped and counted where it comes from another address', () => {
    const lab = started();
    const backend = lab.backend(0);
    const client = lab.client();
    const elsewhere = new Peer(lab.net.host(['10.9.0.1']), '10.9.0.1');
    lab.read(client, 'file');
    elsewhere.send(block, backend.last);
    lab.settle();
    expect([client.received.length, elsewhere.received.length]).toEqual([0, 0]);
    expect(lab.drops('foreign-backend')).toBe(1);
  });

  it('may come from another address with --backend-any-address', () => {
    const lab = started({ service: { requests: { ...labService.requests, backendAnyAddress: true } } });
    const backend = lab.backend(0);
    const client = lab.client();
    const elsewhere = new Peer(lab.net.host(['10.9.0.1']), '10.9.0.1');
    lab.read(client, 'file');
    elsewhere.send(block, backend.last);
    lab.settle();
    client.answer(encodeAck(1));
    lab.settle();
    expect(elsewhere.last.bytes).toEqual(encodeAck(1));
  });
});
