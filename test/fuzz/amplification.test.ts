/** What a forged request costs the one whose address was forged, who never sends anything. */
import { describe, expect, it } from 'vitest';
import { encodeRequest, Opcode } from '../../src/tftp/packet.ts';
import { Lab, labService } from '../helpers/lab.ts';
import { expectNothingLeft } from './aftermath.ts';
import { Forger, Tally } from './forger.ts';
import { honestServer } from './honest.ts';
import { labHostileBackend } from './hostile-backend.ts';
import { Noise } from './noise.ts';
import { seeds } from './seeds.ts';
import { tidModes } from './tid-modes.ts';

const victim = { address: '10.7.0.1', port: 2_070 };
/** RFC 1350's block with its header. */
const largestData = 516;
const moves = 100;

/** Legal requests, mostly for files that are there. */
function legalRequest(noise: Noise, options: Record<string, string>): Uint8Array {
  const opcode = noise.chance(0.7) ? Opcode.rrq : Opcode.wrq;
  return encodeRequest(opcode, `file-${noise.int(0, 8)}`, 'octet', options);
}

/** Sends `next()` again and again, often the same once more, and gives back how many requests and bytes that were. */
function forge(lab: Lab, noise: Noise, next: () => Uint8Array): { requests: number; bytes: number } {
  const forger = new Forger(lab);
  const sent = { requests: 0, bytes: 0 };
  let packet = next();
  for (let move = 0; move < moves; move++) {
    if (noise.chance(0.4)) packet = next();
    forger.send(packet, { ...victim, port: victim.port + noise.int(0, 2) });
    sent.requests += 1;
    sent.bytes += packet.length;
    lab.net.advance(noise.chance(0.3) ? noise.int(0, 15_000) : noise.int(0, 300));
  }
  return sent;
}

describe.each(tidModes)('an address that never answers, %s', (_, tids) => {
  it.each(seeds(8))('gets three datagrams for a request at most (seed %i)', (seed) => {
    const noise = new Noise(seed);
    const lab = new Lab({ seed, service: { tids } });
    lab.engine.start();
    const servers = [honestServer(lab, 0), honestServer(lab, 1)];
    const tally = new Tally(lab, victim.address);
    const { requests } = forge(lab, noise, () =>
      legalRequest(noise, noise.chance(0.5) ? { blksize: '512', tsize: '0' } : {}),
    );
    lab.net.advance(60_000);
    expect(tally.datagrams).toBeGreaterThan(requests / 4);
    expect(tally.datagrams).toBeLessThanOrEqual(3 * requests);
    expect(tally.largest).toBeLessThanOrEqual(largestData);
    for (const server of servers) server.close();
    expectNothingLeft(lab, 2);
  });

  it.each(seeds(8))('gets eight from a server that floods it (seed %i)', (seed) => {
    const noise = new Noise(seed);
    const lab = new Lab({ seed, service: { tids } });
    lab.engine.start();
    const hostile = [labHostileBackend(lab, noise, 0), labHostileBackend(lab, noise, 1)];
    const tally = new Tally(lab, victim.address);
    const { requests } = forge(lab, noise, () => {
      for (const backend of hostile) backend.act();
      return legalRequest(noise, { windowsize: String(noise.int(1, 64)) });
    });
    expect(tally.datagrams).toBeGreaterThan(0);
    expect(tally.datagrams).toBeLessThanOrEqual(8 * requests);
    for (const backend of hostile) backend.isMuted = true;
    expectNothingLeft(lab, 2);
  });

  it.each(seeds(8))('gets one short ERROR for what is refused (seed %i)', (seed) => {
    const noise = new Noise(seed);
    const requests = { ...labService.requests, readOnly: true };
    const lab = new Lab({
      seed,
      service: { tids, requests, limits: { total: 1, perClient: 1, perBackend: 1 } },
    });
    lab.engine.start();
    const [backend] = [lab.backend(0), lab.backend(1)];
    lab.read(lab.client(), 'takes the only place');
    const before = backend?.received.length;
    const tally = new Tally(lab, victim.address);
    const sent = forge(lab, noise, () => {
      lab.read(lab.client(), 'takes the only place again');
      return noise.datagram();
    });
    expect(before).toBe(1);
    expect(tally.datagrams).toBeGreaterThan(0);
    expect(tally.datagrams).toBeLessThanOrEqual(sent.requests);
    expect(tally.largest).toBeLessThanOrEqual(64);
    expectNothingLeft(lab, 2);
  });
});
