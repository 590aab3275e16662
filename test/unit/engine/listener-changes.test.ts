/** Snapshots that bring other listeners or services to a TFTP engine that runs. */
import { describe, expect, it } from 'vitest';
import type { Snapshot, TftpService } from '../../../src/engine/snapshot.ts';
import {
  encodeAck,
  encodeData,
  encodeRequest,
  ErrorCode,
  Opcode,
  opcodeOf,
} from '../../../src/tftp/packet.ts';
import { Lab, type LabOptions, type Peer, type Received, vip } from '../../helpers/lab.ts';

const full = new Uint8Array(512);
const last = new Uint8Array(7);
const request = encodeRequest(Opcode.rrq, 'file', 'octet');
const singlePort = { tids: { kind: 'single-port' } } as const;
const at = (port: number, address = vip) => ({ address, port });

function started(options: LabOptions = {}): Lab {
  const lab = new Lab(options);
  lab.engine.start();
  return lab;
}

/** A snapshot with these services in place of the lab's one. */
function services(lab: Lab, ...changes: readonly Partial<TftpService>[]): Snapshot {
  return { version: 2, services: changes.flatMap((change) => lab.snapshot(2, change).services) };
}

function ask(lab: Lab, to: { address: string; port: number } = at(69)): Peer {
  const client = lab.client();
  client.send(request, to);
  lab.settle();
  return client;
}

/** A download that has got its first block. */
function begin(lab: Lab, backend: Peer): { client: Peer; first: Received } {
  const client = ask(lab);
  backend.answer(encodeData(1, full));
  lab.settle();
  return { client, first: client.last };
}

/** Goes on to the end of the file. */
function finish(lab: Lab, backend: Peer, { client, first }: { client: Peer; first: Received }): void {
  client.send(encodeAck(1), first);
  lab.settle();
  backend.answer(encodeData(2, last));
  lab.settle();
  client.send(encodeAck(2), first);
  lab.settle();
}

const places = (lab: Lab): string[] =>
  lab.engine.listening().map(({ service, endpoint }) => `${service} ${endpoint.address}:${endpoint.port}`);

describe('a listener', () => {
  it('that stays is not bound anew', () => {
    const lab = started();
    lab.engine.update(services(lab, { listeners: [at(69), at(70)] }));
    lab.engine.update(services(lab, { listeners: [at(70), at(69)] }));
    expect(lab.of('listener.up').map(({ listener }) => listener)).toEqual(['10.0.0.1:69', '10.0.0.1:70']);
    expect(lab.of('listener.down')).toEqual([]);
    expect(places(lab).toSorted()).toEqual(['tftp 10.0.0.1:69', 'tftp 10.0.0.1:70']);
  });

  it('that moves takes new sessions in its new place, and those that run go on', () => {
    const lab = started({ backends: 1 });
    const backend = lab.backend(0);
    const running = begin(lab, backend);
    lab.engine.update(services(lab, { listeners: [at(6969)] }));
    expect(places(lab)).toEqual(['tftp 10.0.0.1:6969']);
    finish(lab, backend, running);
    expect(lab.ends).toMatchObject([{ result: 'ok', vip: '10.0.0.1:69' }]);
    ask(lab);
    expect(backend.received).toHaveLength(3);
    ask(lab, at(6969));
    expect(backend.received).toHaveLength(4);
  });

  it('in single-port mode that goes is closed behind its last session, and takes no new ones', () => {
    const lab = started({ backends: 1, service: singlePort });
    const backend = lab.backend(0);
    const running = begin(lab, backend);
    lab.engine.update(services(lab, { ...singlePort, listeners: [at(6969)] }));
    expect(places(lab)).toEqual(['tftp 10.0.0.1:6969']);
    ask(lab);
    expect(lab.of('session.reject')).toMatchObject([{ reason: 'draining' }]);
    finish(lab, backend, running);
    expect(lab.ends).toMatchObject([{ result: 'ok', vip: '10.0.0.1:69' }]);
    lab.net.advance(60_000);
    expect(lab.of('listener.down').map(({ listener }) => listener)).toEqual(['10.0.0.1:69']);
    expect(lab.balancer.openSockets).toBe(1);
  });

  it('in single-port mode that goes and comes back stays what it was', () => {
    const lab = started({ backends: 1, service: singlePort });
    const backend = lab.backend(0);
    const running = begin(lab, backend);
    lab.engine.update(services(lab, { ...singlePort, listeners: [at(6969)] }));
    lab.engine.update(services(lab, { ...singlePort, listeners: [at(69)] }));
    finish(lab, backend, running);
    expect(begin(lab, backend).first.port).toBe(69);
    expect(lab.of('listener.down').map(({ listener }) => listener)).toEqual(['10.0.0.1:6969']);
  });

  it.each([
    ['another service', { ...singlePort, name: 'other' }],
    ['the other mode', {}],
  ])('in single-port mode that %s wants ends its sessions, which could not go on', (_whom, change) => {
    const lab = started({ service: singlePort });
    const { client } = begin(lab, lab.backend(0));
    lab.engine.update(services(lab, change));
    lab.settle();
    expect(opcodeOf(client.last.bytes)).toBe(Opcode.error);
    expect(lab.ends).toMatchObject([{ result: 'error', error: { from: 'balancer' } }]);
    expect(places(lab)).toHaveLength(1);
  });

  it('that cannot be had is told of, and taken as soon as it can be', () => {
    const lab = started();
    const other = lab.balancer.bindUdp(at(70), { onDatagram: () => undefined, onError: () => undefined });
    lab.engine.update(services(lab, { listeners: [at(69), at(70)] }));
    expect(lab.of('listener.down')).toMatchObject([{ listener: '10.0.0.1:70' }]);
    expect(places(lab)).toEqual(['tftp 10.0.0.1:69']);
    other.close();
    lab.net.advance(6000);
    expect(places(lab)).toEqual(['tftp 10.0.0.1:69', 'tftp 10.0.0.1:70']);
  });
});

describe('ports of TIDs', () => {
  it('that change are those of the next session, and the listener stays', () => {
    const lab = started({
      backends: 1,
      service: { tids: { kind: 'ephemeral', ports: { first: 2000, last: 2000 } } },
    });
    const backend = lab.backend(0);
    const running = begin(lab, backend);
    expect(running.first.port).toBe(2000);
    lab.engine.update(services(lab, { tids: { kind: 'ephemeral', ports: { first: 3000, last: 3000 } } }));
    expect(begin(lab, backend).first.port).toBe(3000);
    const [peer] = backend.received;
    running.client.send(encodeAck(1), running.first);
    lab.settle();
    backend.send(encodeData(2, last), peer ?? at(0));
    lab.settle();
    expect([running.client.last.port, lab.of('listener.down')]).toEqual([2000, []]);
  });

  it('may become the listening port, and sessions with TIDs of their own go on', () => {
    const lab = started({ backends: 1 });
    const backend = lab.backend(0);
    const running = begin(lab, backend);
    expect(running.first.port).not.toBe(69);
    lab.engine.update(services(lab, { tids: { kind: 'single-port' } }));
    finish(lab, backend, running);
    expect(begin(lab, backend).first.port).toBe(69);
    expect(lab.ends).toMatchObject([{ result: 'ok' }]);
  });
});

describe('a service', () => {
  it('that comes serves', () => {
    const lab = started();
    const backend = lab.backend(0);
    lab.engine.update(services(lab, {}, { name: 'other', listeners: [at(70)], index: 0 }));
    ask(lab, at(70));
    backend.answer(encodeData(1, full));
    expect(lab.of('session.start').map(({ service }) => service)).toEqual(['other']);
    expect(places(lab)).toEqual(['tftp 10.0.0.1:69', 'other 10.0.0.1:70']);
  });

  it('that goes lets its sessions end, and nothing of it stays', () => {
    const lab = started({ backends: 1 });
    const backend = lab.backend(0);
    const running = begin(lab, backend);
    lab.engine.update({ version: 2, services: [] });
    expect(places(lab)).toEqual([]);
    finish(lab, backend, running);
    expect(lab.ends).toMatchObject([{ result: 'ok' }]);
    lab.net.advance(60_000);
    expect([lab.balancer.openSockets, lab.scoreboard.holders(0), lab.net.pendingTimers]).toEqual([0, 0, 0]);
  });

  it('that goes asks no other backend for those that wait', () => {
    const lab = started();
    const [first, second] = [lab.backend(0), lab.backend(1)];
    ask(lab);
    lab.engine.update({ version: 2, services: [] });
    lab.net.advance(2000);
    expect([first.received.length, second.received.length]).toEqual([1, 0]);
    lab.engine.stop();
  });

  it('may take over the listener of another one in the same moment', () => {
    const lab = started({ service: { name: 'a', listeners: [at(69)] } });
    lab.engine.update(services(lab, { name: 'b', listeners: [at(69)] }, { name: 'a', listeners: [at(70)] }));
    expect(places(lab).toSorted()).toEqual(['a 10.0.0.1:70', 'b 10.0.0.1:69']);
    expect(lab.of('listener.down').filter(({ error }) => error !== undefined)).toEqual([]);
    lab.engine.update(services(lab, { name: 'c', listeners: [at(69), at(70)] }));
    expect(places(lab)).toEqual(['c 10.0.0.1:69', 'c 10.0.0.1:70']);
  });

  it('that has gone is ended with all others when the engine stops', () => {
    const lab = started();
    const { client } = begin(lab, lab.backend(0));
    lab.engine.update({ version: 2, services: [] });
    lab.engine.stop();
    lab.settle();
    expect([opcodeOf(client.last.bytes), client.last.bytes[3]]).toEqual([Opcode.error, ErrorCode.notDefined]);
    expect([lab.balancer.openSockets, lab.net.pendingTimers]).toEqual([0, 0]);
  });
});
