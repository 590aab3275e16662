import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ClientMachine } from '../../../src/tftp/client-machine.ts';
import { optionPairs } from '../../../src/tftp/negotiation.ts';
import { encodeAck, encodeOack, encodeRequest, Opcode } from '../../../src/tftp/packet.ts';
import { Receiver } from '../../../src/tftp/receiver.ts';
import { Sender } from '../../../src/tftp/sender.ts';
import { blocksOf } from '../../../src/tftp/source.ts';
import { fileOf, patterned } from './content.ts';
import { type Fate, Link } from './link.ts';

interface Case {
  readonly operation: 'read' | 'write';
  readonly size: number;
  readonly blksize: number;
  readonly windowsize: number;
  readonly retries: number;
}

/** A client on the left and the server's data machine, which has got the request already, on the right. */
function transfer({ operation, size, blksize, windowsize, retries }: Case, fate: () => Fate) {
  const link = new Link(fate);
  const content = patterned(size);
  const received: number[] = [];
  const retry = { timeout: 1000, retries };
  const shape = { blksize, windowsize };
  const makeSender = (opening: Uint8Array | undefined, send: (packet: Uint8Array) => void): Sender => {
    const source = blocksOf(fileOf(content), 'octet', shape);
    return new Sender({ ...shape, retry, opening, read: source, send });
  };
  const makeReceiver = (opening: Uint8Array | undefined, send: (packet: Uint8Array) => void): Receiver => {
    let ended = false;
    const sink = {
      write: (bytes: Uint8Array): boolean => {
        if (ended) throw new Error('written after the end');
        received.push(...bytes);
        return true;
      },
      end: () => {
        ended = true;
      },
    };
    return new Receiver({ ...shape, retry, opening, sink, send });
  };
  const isRead = operation === 'read';
  const client = new ClientMachine({
    operation,
    request: encodeRequest(isRead ? Opcode.rrq : Opcode.wrq, 'f', 'octet', optionPairs(shape)),
    asked: shape,
    retry,
    send: link.sendFrom('left'),
    begin: (_, opening) => (isRead ? makeReceiver : makeSender)(opening, link.sendFrom('left')),
  });
  const server = (isRead ? makeSender : makeReceiver)(encodeOack(optionPairs(shape)), link.sendFrom('right'));
  return { link, client, server, received, content };
}

const cases: fc.Arbitrary<Case> = fc.record({
  operation: fc.constantFrom('read', 'write'),
  size: fc.oneof(fc.nat(400), fc.constantFrom(0, 8, 16, 64, 65)),
  blksize: fc.integer({ min: 8, max: 20 }),
  windowsize: fc.oneof(fc.constant(1), fc.integer({ min: 1, max: 40 })),
  retries: fc.constant(5),
});

/** Lost, in time, late (behind later ones or even behind timers), twice. */
const anyFate: fc.Arbitrary<Fate> = fc.oneof(
  { weight: 6, arbitrary: fc.constant<Fate>([1]) },
  { weight: 2, arbitrary: fc.constant<Fate>([]) },
  { weight: 2, arbitrary: fc.integer({ min: 2, max: 20 }).map((delay): Fate => [delay]) },
  { weight: 1, arbitrary: fc.integer({ min: 900, max: 5000 }).map((delay): Fate => [delay]) },
  { weight: 2, arbitrary: fc.integer({ min: 1, max: 1500 }).map((delay): Fate => [1, delay]) },
);

describe('two machines on a bad link', () => {
  it('move the content verbatim while the faults are fewer than the retries allow', () => {
    fc.assert(
      fc.property(cases, fc.array(anyFate, { maxLength: 30 }), (each, fates) => {
        const left = [...fates];
        const { link, client, server, received, content } = transfer(
          { ...each, retries: 40 },
          () => left.shift() ?? [1],
        );
        link.run(client, server);
        expect([client.state, server.state]).toEqual(['done', 'done']);
        expect(Uint8Array.from(received)).toEqual(content);
        expect(client.counts.bytes).toBe(content.length);
        expect(server.counts.bytes).toBe(content.length);
      }),
      { numRuns: 300 },
    );
  });

  it('always end, and never take a wrong content for the right one', () => {
    fc.assert(
      fc.property(cases, fc.infiniteStream(anyFate), (each, fates) => {
        const { link, client, server, received, content } = transfer(each, () => fates.next().value ?? []);
        link.run(client, server);
        const [sender, receiver] = each.operation === 'read' ? [server, client] : [client, server];
        expect(Uint8Array.from(received)).toEqual(content.subarray(0, received.length));
        if (receiver.state === 'done') expect(received).toHaveLength(content.length);
        if (sender.state === 'done') expect(receiver.state).toBe('done');
        expect([client.state, server.state]).not.toContain('running');
      }),
      { numRuns: 300 },
    );
  });

  it.each(['read', 'write'] as const)('end with a timeout on a dead link (%s)', (operation) => {
    const dead = transfer({ operation, size: 9, blksize: 8, windowsize: 4, retries: 3 }, () => []);
    dead.link.run(dead.client, dead.server);
    expect([dead.client.state, dead.server.state]).toEqual(['timeout', 'timeout']);
    expect(dead.link.sent).toEqual({ left: 4, right: 4 });
  });
});

describe("the Sorcerer's Apprentice", () => {
  it('is not started by packets that come twice or after their timer', () => {
    const fates = fc.array(
      fc.tuple(fc.nat(150), fc.constantFrom<Fate>([1, 1], [1, 30], [1100], [1, 1100], [2500])),
      { minLength: 1, maxLength: 3 },
    );
    fc.assert(
      fc.property(cases, fates, (each, faults) => {
        const byPacket = new Map(faults);
        let packet = 0;
        const size = each.blksize * 200;
        const { link, client, server } = transfer({ ...each, size }, () => byPacket.get(packet++) ?? [1]);
        link.run(client, server);
        const sender = each.operation === 'read' ? link.sent.right : link.sent.left;
        // Two packets travel whatever happens: the last, empty block and the opening or request. A fault may cost
        // its own timer, the peer's and one gap report: three windows.
        expect(sender).toBeLessThanOrEqual(202 + byPacket.size * 3 * (each.windowsize + 1));
      }),
      { numRuns: 200 },
    );
  });

  it('does not send all that follows twice after one delayed ACK', () => {
    let packet = 0;
    const { link, client, server } = transfer(
      { operation: 'read', size: 8 * 1000, blksize: 8, windowsize: 1, retries: 5 },
      () => (packet++ === 20 ? [1500] : [1]),
    );
    link.run(client, server);
    expect(link.sent.right).toBeLessThanOrEqual(1 + 1001 + 1);
  });
});

describe('ClientMachine', () => {
  it.each([
    ['read', Opcode.data, 1, true],
    ['read', Opcode.data, 2, false],
    ['read', Opcode.ack, 0, false],
    ['write', Opcode.ack, 0, true],
    ['write', Opcode.ack, 1, false],
    ['write', Opcode.data, 1, false],
    ['read', Opcode.oack, 0, true],
    ['write', Opcode.error, 0, true],
    ['read', Opcode.rrq, 0, false],
  ] as const)(
    'on %s takes opcode %i with number %i as a first reply: %s',
    (operation, opcode, number, expected) => {
      const { client } = transfer({ operation, size: 1, blksize: 8, windowsize: 1, retries: 1 }, () => []);
      expect(client.isReply(Uint8Array.of(0, opcode, 0, number))).toBe(expected);
    },
  );

  it('answers a repeated OACK with ACK 0 until the first block is there', () => {
    const sent: Uint8Array[] = [];
    const retry = { timeout: 1000, retries: 1 };
    const client = new ClientMachine({
      operation: 'read',
      request: encodeRequest(Opcode.rrq, 'f', 'octet', { blksize: '8' }),
      asked: { blksize: 8 },
      retry,
      send: (packet) => sent.push(packet),
      begin: (_, opening) =>
        new Receiver({
          blksize: 8,
          windowsize: 1,
          retry,
          opening,
          sink: { write: () => true, end: () => {} },
          send: (packet) => sent.push(packet),
        }),
    });
    client.start(0);
    const oack = encodeOack({ blksize: '8' });
    client.onPacket(oack, 1);
    client.onPacket(oack, 2);
    client.onPacket(Uint8Array.of(0, Opcode.data, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0), 3);
    client.onPacket(oack, 4);
    expect(sent.slice(1)).toEqual([encodeAck(0), encodeAck(0), encodeAck(1)]);
    expect(client.counts.repeats).toBe(2);
  });
});
