import { afterEach, describe, expect, test } from 'vitest';
import { TftpProbe } from '../../../src/health/tftp-probe.ts';
import { MemoryNet } from '../../../src/net/memory-net.ts';
import type { Net, UdpSocket } from '../../../src/net/net.ts';
import { createNodeNet } from '../../../src/net/node-net.ts';
import type { ProbeOutcome } from '../../../src/observe/events.ts';
import {
  encodeAck,
  encodeData,
  encodeError,
  encodeOack,
  encodeRequest,
  Opcode,
} from '../../../src/tftp/packet.ts';

const options = { file: 'health', timeout: 500 };
const signal = new AbortController().signal;
const backend = { address: '192.0.2.1', port: 69 };

interface Heard {
  readonly at: 'request port' | 'other port';
  readonly data: string;
}

interface Answer {
  readonly data: Uint8Array;
  /** Where it comes from; another port of the backend if left out. */
  readonly from?: 'request port' | 'other host';
}

/** One check against a backend that answers the request so. */
async function check(
  answers: readonly Answer[],
): Promise<{ outcome: ProbeOutcome; heard: Heard[]; took: number }> {
  const memory = new MemoryNet({ seed: 1 });
  const balancer = memory.host(['192.0.2.100']);
  const server = memory.host([backend.address]);
  const stranger = memory.host(['192.0.2.2']);
  const heard: Heard[] = [];
  const listen = (at: Heard['at'], port: number): UdpSocket =>
    server.bindUdp(
      { address: backend.address, port },
      {
        onDatagram: (data, port, address) => {
          heard.push({ at, data: Buffer.from(data).toString('latin1') });
          if (heard.length > 1) return;
          for (const answer of answers) socketFor(answer).send(answer.data, port, address);
        },
        onError: () => undefined,
      },
    );
  const atRequestPort = listen('request port', backend.port);
  const atOtherPort = listen('other port', 0);
  const foreign = stranger.bindUdp(
    { address: '192.0.2.2', port: 69 },
    { onDatagram: () => undefined, onError: () => undefined },
  );
  const socketFor = ({ from }: Answer): UdpSocket =>
    from === 'other host' ? foreign : from === 'request port' ? atRequestPort : atOtherPort;
  const startedAt = memory.now();
  const outcome = await memory.play(new TftpProbe(balancer, options).check(backend, signal));
  const took = memory.now() - startedAt;
  memory.runUntilIdle();
  return { outcome, heard, took };
}

const asked: Heard = { at: 'request port', data: '\0\u0001health\0octet\0' };
const goodbye = expect.stringContaining('\0\u0005\0\0');

describe('what is asked', () => {
  test('is one read request for the file in octet mode without options', async () => {
    const { heard } = await check([]);
    expect(heard).toEqual([asked]);
  });

  test('cannot have a NUL in its name', () => {
    const net = new MemoryNet({ seed: 1 }).host([]);
    expect(() => new TftpProbe(net, { ...options, file: 'a\0b' })).toThrow(RangeError);
  });
});

describe('answers', () => {
  test.each([
    { what: 'ERROR 1', data: encodeError(1, 'File not found') },
    { what: 'another ERROR', data: encodeError(2, 'Access violation') },
    { what: 'an ERROR without a message', data: Uint8Array.of(0, 5, 0, 1) },
  ])('$what is life, and is not answered', async ({ data }) => {
    const { outcome, heard } = await check([{ data }]);
    expect([outcome, heard]).toEqual(['alive', [asked]]);
  });

  test.each([
    { what: 'DATA 1', data: encodeData(1, Buffer.alloc(512)) },
    { what: 'an empty DATA 1', data: encodeData(1, Buffer.alloc(0)) },
    { what: 'OACK', data: encodeOack({ tsize: '7' }) },
  ])('$what is life, and ends with ERROR 0 to the TID that it came from', async ({ data }) => {
    const { outcome, heard } = await check([{ data }]);
    expect([outcome, heard]).toEqual(['alive', [asked, { at: 'other port', data: goodbye }]]);
    const single = await check([{ data, from: 'request port' }]);
    expect(single.heard).toEqual([asked, { at: 'request port', data: goodbye }]);
  });

  test.each([
    { what: 'nothing', answers: [], outcome: 'timeout' },
    { what: 'an ACK', answers: [encodeAck(0)], outcome: 'malformed' },
    { what: 'DATA 2', answers: [encodeData(2, Buffer.alloc(4))], outcome: 'malformed' },
    { what: 'a request', answers: [encodeRequest(Opcode.rrq, 'f', 'octet')], outcome: 'malformed' },
    { what: 'three bytes', answers: [Uint8Array.of(0, 5, 0)], outcome: 'malformed' },
    { what: 'no bytes', answers: [new Uint8Array(0)], outcome: 'malformed' },
  ])('$what is $outcome when the time is over', async ({ answers, outcome }) => {
    const result = await check(answers.map((data) => ({ data })));
    expect(result).toEqual({ outcome, heard: [asked], took: options.timeout });
  });

  test('an answer behind garbage is life', async () => {
    const { outcome } = await check([{ data: Buffer.from('what?') }, { data: encodeError(1, 'no') }]);
    expect(outcome).toBe('alive');
  });

  test('an answer from another host is none', async () => {
    const { outcome } = await check([{ data: encodeError(1, 'no'), from: 'other host' }]);
    expect(outcome).toBe('timeout');
  });

  test('a network without a way there refuses in the name of the backend', async () => {
    const memory = new MemoryNet({ seed: 1 });
    const probe = new TftpProbe(memory.host(['192.0.2.100']), options);
    expect(await memory.play(probe.check({ address: '2001:db8::1', port: 69 }, signal))).toBe('refused');
    expect(await memory.play(probe.check({ address: '192.0.2.7', port: 69 }, signal))).toBe('refused');
  });
});

describe('over real sockets', () => {
  const open: UdpSocket[] = [];
  const listen = (
    net: Net,
    onRequest: (socket: UdpSocket, port: number, address: string) => void,
  ): UdpSocket => {
    const socket = net.bindUdp(
      { address: '127.0.0.1', port: 0 },
      { onDatagram: (_data, port, address) => onRequest(socket, port, address), onError: () => undefined },
    );
    open.push(socket);
    return socket;
  };
  afterEach(() => {
    for (const socket of open.splice(0)) socket.close();
  });

  test('an answer from another port is life', async () => {
    const net = createNodeNet();
    const answering = listen(net, () => undefined);
    const server = listen(net, (_socket, port, address) =>
      answering.send(encodeError(1, 'no'), port, address),
    );
    expect(await new TftpProbe(net, { file: 'health', timeout: 20_000 }).check(server, signal)).toBe('alive');
  });

  test('a port that nobody holds refuses', async () => {
    const net = createNodeNet();
    const { address, port } = listen(net, () => undefined);
    open.pop()?.close();
    expect(
      await new TftpProbe(net, { file: 'health', timeout: 20_000 }).check({ address, port }, signal),
    ).toBe('refused');
  });
});
