import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { setImmediate as turn } from 'node:timers/promises';

import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';

import { loopback } from '../../../bench/messages.ts';
import { fileOf, numberRequest } from '../../../bench/wire/file-names.ts';
import { type Answering, Responder } from '../../../bench/wire/responder.ts';
import { Wire } from '../../../bench/wire/wire.ts';
import { blockOf, encodeAck, encodeRequest, Opcode } from '../../../src/tftp/packet.ts';
import { decodeOack, decodeRequest, optionRecord } from '../../../src/tftp/request.ts';

let wire: Wire;
let client: Socket;
const arrived: [Buffer, RemoteInfo][] = [];

beforeEach(() => {
  arrived.length = 0;
});

async function next(): Promise<[packet: Buffer, from: number]> {
  for (;;) {
    const [packet, from] = arrived.shift() ?? [];
    if (packet && from) return [packet, from.port];
    wire.serve();
    await turn();
  }
}

function say(packet: Uint8Array, port: number): void {
  client.send(packet, port, loopback);
}

function open(answering: Answering): number {
  return new Responder(wire, { address: loopback, port: 0 }, answering).local.port;
}

describe.skipIf(process.platform !== 'linux')('the server of the bench', () => {
  beforeAll(async () => {
    wire = new Wire();
    client = createSocket('udp4').bind(0, loopback);
    client.on('message', (data, from) => arrived.push([data, from]));
    await once(client, 'listening');
  });
  afterAll(() => client.close());

  test('answers from another port, with what was asked for', async () => {
    const port = open('ephemeral');
    say(encodeRequest(Opcode.rrq, 'endless', 'octet', { blksize: '1428', windowsize: '3' }), port);
    const [oack, tid] = await next();
    expect(optionRecord(decodeOack(oack))).toEqual({ blksize: '1428', windowsize: '3' });
    expect(tid).not.toBe(port);
    say(encodeAck(65_534), tid);
    for (const block of [65_535, 0, 1]) {
      const [data, from] = await next();
      expect([data[1], blockOf(data), data.length, from]).toEqual([Opcode.data, block, 1_432, tid]);
    }
  });

  test('answers from the port that was asked, where a relay needs that', async () => {
    const port = open('single-port');
    say(encodeRequest(Opcode.rrq, 'endless', 'octet', { blksize: '1428' }), port);
    expect((await next())[1]).toBe(port);
    say(encodeAck(7), port);
    const [data, from] = await next();
    expect([blockOf(data), from]).toEqual([8, port]);
  });

  test('ends a file of some blocks with a short one, and says nothing behind it', async () => {
    const port = open('ephemeral');
    say(encodeRequest(Opcode.rrq, fileOf(2), 'octet', { blksize: '1428' }), port);
    const [, tid] = await next();
    say(encodeAck(0), tid);
    expect((await next())[0].length).toBe(1_432);
    say(encodeAck(1), tid);
    const [last] = await next();
    expect(blockOf(last)).toBe(2);
    expect(last.length).toBeLessThan(1_432);
    say(encodeAck(2), tid);
    say(encodeRequest(Opcode.rrq, 'f00000001', 'octet'), port);
    // What comes next answers the second request: there was no answer to the last ACK.
    expect(blockOf((await next())[0])).toBe(1);
  });

  test('answers a request without options with its only block', async () => {
    const port = open('ephemeral');
    for (const file of ['f00000042', 'health']) {
      say(encodeRequest(Opcode.rrq, file, 'octet'), port);
      const [data, tid] = await next();
      expect([data[1], blockOf(data)]).toEqual([Opcode.data, 1]);
      expect(data.length).toBeLessThan(512);
      say(encodeAck(1), tid);
    }
  });
});

test('a request is numbered where it lies', () => {
  const request = encodeRequest(Opcode.rrq, fileOf(701), 'octet');
  numberRequest(request, 12_345);
  expect(decodeRequest(request).file).toBe('b00012345-701');
});
