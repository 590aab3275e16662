/** Peers that never stop. Whatever they cost must have a bound while they go on, and nothing stays when they end. */
import { describe, expect, it } from 'vitest';
import { encodeAck, encodeData, encodeRequest, Opcode } from '../../src/tftp/packet.ts';
import { Lab, vip } from '../helpers/lab.ts';
import { expectNothingLeft } from './aftermath.ts';
import { honestServer } from './honest.ts';
import { tidModes } from './tid-modes.ts';

const listener = { address: vip, port: 69 };
const request = encodeRequest(Opcode.rrq, 'file-5', 'octet');
const minutes = 10;
const period = 100;
const turns = (minutes * 60_000) / period;

/** Sessions that one client port may have at a time. */
const fewSessions = 6;

function started(options: ConstructorParameters<typeof Lab>[0]): Lab {
  const lab = new Lab(options);
  lab.engine.start();
  return lab;
}

describe.each(tidModes)('%s', (_, tids) => {
  it('a client that repeats its request for ever, to silent backends, has one session', () => {
    const lab = started({ service: { tids } });
    const silent = [lab.backend(0), lab.backend(1)];
    const client = lab.client();
    for (let turn = 0; turn < turns; turn++) {
      client.send(request, listener);
      lab.net.advance(period);
      expect(lab.scoreboard.activeOf(0)).toBeLessThanOrEqual(1);
    }
    expect(lab.of('session.start')).toHaveLength(1);
    const asked = silent.reduce((sum, backend) => sum + backend.received.length, 0);
    expect(asked).toBeLessThanOrEqual(minutes * 60 + 1);
    expectNothingLeft(lab, 2);
  });

  it('a client that repeats its request for ever and never takes the answer has few', () => {
    const lab = started({ service: { tids } });
    const servers = [honestServer(lab, 0), honestServer(lab, 1)];
    const client = lab.client();
    for (let turn = 0; turn < turns; turn++) {
      client.send(request, listener);
      lab.net.advance(period);
      expect(lab.scoreboard.activeOf(0)).toBeLessThanOrEqual(fewSessions);
    }
    expect(client.received.length).toBeLessThanOrEqual(turns);
    for (const server of servers) server.close();
    expectNothingLeft(lab, 2);
  });

  it('a client that acknowledges for ever what nobody sends does not keep its session', () => {
    const lab = started({ service: { tids } });
    const backend = lab.backend(0);
    const client = lab.client();
    lab.read(client, 'file');
    backend.answer(encodeData(1, new Uint8Array(512)));
    lab.settle();
    const tid = client.last;
    for (let turn = 0; turn < turns; turn++) {
      client.send(encodeAck(1), tid);
      lab.net.advance(period);
    }
    expect(lab.ends).toMatchObject([{ result: 'timeout' }]);
    expect(lab.scoreboard.holders(0)).toBe(0);
    // Once a second a stranger hears that nobody is there.
    expect(client.received.length).toBeLessThanOrEqual(minutes * 60 + 2);
    expectNothingLeft(lab, 1);
  });

  it('a server that sends for ever to a client that is gone does not keep its session', () => {
    const lab = started({ service: { tids } });
    const backend = lab.backend(0);
    const tid = lab.backendTid(0);
    const client = lab.client();
    lab.read(client, 'file');
    const balancer = backend.last;
    for (let turn = 0; turn < turns; turn++) {
      tid.send(encodeData(1 + (turn & 0xff), new Uint8Array(512)), balancer);
      lab.net.advance(period);
    }
    expect(client.received).toHaveLength(3);
    expect(lab.ends).toMatchObject([{ result: 'timeout' }]);
    expect(lab.scoreboard.holders(0)).toBe(0);
    expectNothingLeft(lab, 1);
  });

  it('two ends that go on for ever after their end are cut off', () => {
    const lab = started({ service: { tids } });
    const backend = lab.backend(0);
    const client = lab.client();
    lab.read(client, 'file');
    backend.answer(encodeData(1, new Uint8Array(10)));
    lab.settle();
    const [balancer, tid] = [backend.last, client.last];
    for (let turn = 0; turn < turns; turn++) {
      client.send(encodeAck(1), tid);
      backend.send(encodeData(1, new Uint8Array(10)), balancer);
      lab.net.advance(period);
    }
    expect(lab.ends).toMatchObject([{ result: 'ok' }]);
    expect(lab.scoreboard.holders(0)).toBe(0);
    expectNothingLeft(lab, 1);
  });

  it('a flood of requests from one port costs what --max-sessions allows', () => {
    const limits = { total: 20, perClient: 0, perBackend: 0 };
    const lab = started({ service: { tids, limits } });
    lab.backend(0);
    lab.backend(1);
    const client = lab.client();
    for (let n = 0; n < 2_000; n++) {
      client.send(encodeRequest(Opcode.rrq, `file-${n}`, 'octet'), listener);
      if (n % 50 === 0) lab.settle();
      expect(lab.scoreboard.activeOf(0)).toBeLessThanOrEqual(limits.total);
      expect(lab.balancer.openSockets).toBeLessThanOrEqual(1 + 2 * limits.total);
    }
    expectNothingLeft(lab, 2);
  });
});
