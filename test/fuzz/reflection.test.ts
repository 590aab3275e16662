/** Sources that answer whatever they get, or that are the balancer's own neighbours: nothing may go round for ever. */
import { describe, expect, it } from 'vitest';
import { encodeAck, encodeData, encodeError, encodeRequest, Opcode } from '../../src/tftp/packet.ts';
import type { Endpoint } from '../../src/net/net.ts';
import { backendAddress, Lab, Peer, vip } from '../helpers/lab.ts';
import { expectNothingLeft } from './aftermath.ts';
import { Forger } from './forger.ts';
import { honestServer } from './honest.ts';
import { Noise } from './noise.ts';
import { seeds } from './seeds.ts';
import { tidModes } from './tid-modes.ts';

/** Datagrams on the whole network that one forged datagram may set off, server repeats included. */
const chain = 60;

function withServers(options: ConstructorParameters<typeof Lab>[0]) {
  const lab = new Lab(options);
  lab.engine.start();
  const servers = [honestServer(lab, 0), honestServer(lab, 1)];
  let datagrams = 0;
  lab.net.addFilter(() => {
    datagrams += 1;
    return 'pass';
  });
  return { lab, servers, datagrams: () => datagrams };
}

describe.each(tidModes)('%s', (_, tids) => {
  it.each([
    ['a read', encodeRequest(Opcode.rrq, 'file-5', 'octet')],
    ['a read with options', encodeRequest(Opcode.rrq, 'file-5', 'octet', { blksize: '8', windowsize: '16' })],
    ['a read of nothing', encodeRequest(Opcode.rrq, 'missing', 'octet')],
    ['a write', encodeRequest(Opcode.wrq, 'up', 'octet')],
    ['a request that is malformed', Uint8Array.of(0, 1, 65)],
    ['an ACK', encodeAck(1)],
    ['DATA', encodeData(1, new Uint8Array(9))],
    ['an ERROR', encodeError(0, 'x')],
    ['no TFTP', Uint8Array.of(9, 9)],
  ])('an echo service in whose name %s arrives goes silent', (_, packet) => {
    const { lab, servers, datagrams } = withServers({ service: { tids } });
    const echo = new Peer(lab.net.host(['10.7.0.7']), '10.7.0.7', 7);
    echo.onDatagram = ({ bytes, port, address }) => echo.send(bytes, { port, address });
    new Forger(lab).send(packet, { address: '10.7.0.7', port: 7 });
    lab.net.advance(300_000, 200_000);
    expect(datagrams()).toBeLessThanOrEqual(chain);
    for (const server of servers) server.close();
    expectNothingLeft(lab, 2);
  });

  it('two that answer every ERROR with an ERROR are not kept talking', () => {
    const { lab, servers, datagrams } = withServers({ service: { tids } });
    const client = lab.client();
    // Slowly enough that no limit of answers a second hides it.
    client.onDatagram = (datagram) => {
      lab.net.setTimer(1_500, () => client.send(encodeError(0, 'no, you'), datagram));
    };
    client.send(encodeError(0, 'to nobody'), { address: vip, port: 69 });
    client.send(encodeAck(1), { address: vip, port: 69 });
    client.send(encodeRequest(Opcode.rrq, 'missing', 'octet'), { address: vip, port: 69 });
    client.send(encodeRequest(Opcode.rrq, '../x', 'octet'), { address: vip, port: 69 });
    lab.net.advance(300_000, 200_000);
    expect(datagrams()).toBeLessThanOrEqual(12);
    for (const server of servers) server.close();
    expectNothingLeft(lab, 2);
  });

  it.each(seeds(10))('what is forged in the name of neighbours dies out (seed %i)', (seed) => {
    const noise = new Noise(seed);
    const { lab, servers, datagrams } = withServers({ seed, service: { tids } });
    const forger = new Forger(lab);
    const heard: Endpoint[] = [
      { address: vip, port: 69 },
      { address: backendAddress(0), port: 69 },
      { address: backendAddress(1), port: 69 },
      { address: '10.9.9.9', port: 0 },
    ];
    // The balancer's own TIDs and those of the servers are the most promising sources.
    lab.net.addFilter(({ from }) => {
      if (heard.length < 400) heard.push({ ...from });
      return 'pass';
    });
    const forged = 200;
    for (let n = 0; n < forged; n++) {
      forger.send(noise.chance(0.5) ? noise.request() : noise.datagram(), noise.pick(heard) ?? vip69);
      lab.net.advance(noise.int(0, 200), 100_000);
    }
    lab.net.advance(120_000, 200_000);
    expect(datagrams()).toBeLessThanOrEqual(forged * chain);
    for (const server of servers) server.close();
    expectNothingLeft(lab, 2);
  });
});

const vip69 = { address: vip, port: 69 };
