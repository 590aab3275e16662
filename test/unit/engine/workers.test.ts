/** Several engines on one host, as workers have them: what they share, and what each has for itself. */
import { describe, expect, it } from 'vitest';
import { Scoreboard } from '../../../src/balance/scoreboard.ts';
import type { TftpService } from '../../../src/engine/snapshot.ts';
import { TftpEngine } from '../../../src/engine/tftp-engine.ts';
import { withOwnTids } from '../../../src/net/own-tids.ts';
import { dropReasons, type Event } from '../../../src/observe/events.ts';
import { ErrorCode, Opcode } from '../../../src/tftp/packet.ts';
import { Lab, labService, type Peer, vip } from '../../helpers/lab.ts';

const workers = 3;

/** A lab whose engine stays off, and engines on one listening address in its place. */
function scene(service: Partial<TftpService> = {}): {
  lab: Lab;
  engines: TftpEngine[];
  scoreboard: Scoreboard;
  rejections: () => string[];
} {
  const lab = new Lab({ backends: 2 });
  for (const n of [0, 1]) lab.backend(n);
  const scoreboard = Scoreboard.create({ services: 1, backends: 4, workers, reasons: dropReasons.length });
  const events: Event[] = [];
  const listeners = [{ address: vip, port: 69, isShared: true }];
  const engines = Array.from({ length: workers }, (_, worker) => {
    const parts = {
      snapshot: lab.snapshot(2, { listeners, ...service }),
      scoreboard,
      worker,
      net: withOwnTids(lab.balancer),
      emit: (event: Event) => void events.push(event),
    };
    return new TftpEngine(parts);
  });
  for (const engine of engines) engine.start();
  const rejections = (): string[] =>
    events.flatMap((event) => (event.kind === 'session.reject' ? [event.reason] : []));
  return { lab, engines, scoreboard, rejections };
}

/** Asks from ports in a row, which reach one worker after the other. */
function ask(lab: Lab, count: number): Peer[] {
  return Array.from({ length: count }, (_, n) => {
    const client = lab.client(10_000 + n);
    lab.read(client, 'image');
    return client;
  });
}

describe('engines that share a listening address', () => {
  it('take turns over the backends as one would', () => {
    const { lab, scoreboard } = scene();
    ask(lab, 30);
    expect([0, 1, 2].map((worker) => scoreboard.activeIn(worker, 0))).toEqual([10, 10, 10]);
    expect([0, 1].map((index) => scoreboard.active(index))).toEqual([15, 15]);
  });

  it('keep the limit of the service together', () => {
    const { lab, scoreboard, rejections } = scene({ limits: { ...labService.limits, total: 5 } });
    const clients = ask(lab, 8);
    expect(scoreboard.activeOf(0)).toBe(5);
    expect(rejections()).toEqual(['max-sessions', 'max-sessions', 'max-sessions']);
    const answer = Buffer.from(clients.at(-1)?.last.bytes ?? []);
    expect([answer.readUInt16BE(), answer.readUInt16BE(2)]).toEqual([Opcode.error, ErrorCode.notDefined]);
  });

  it('keep the limit of each backend together', () => {
    const { lab, scoreboard, rejections } = scene({ limits: { ...labService.limits, perBackend: 2 } });
    ask(lab, 6);
    expect([0, 1].map((index) => scoreboard.active(index))).toEqual([2, 2]);
    expect(rejections()).toEqual(['no-backend', 'no-backend']);
  });

  it('give the place of a worker that is gone to the sessions of others', () => {
    const { lab, scoreboard, rejections } = scene({ limits: { ...labService.limits, total: 3 } });
    ask(lab, 3);
    scoreboard.clear(1);
    ask(lab, 1);
    expect(rejections()).toEqual([]);
    expect(scoreboard.activeOf(0)).toBe(3);
  });
});
