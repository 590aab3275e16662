import { type Answer, encode } from 'dns-packet';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  decodeReply,
  encodeQuery,
  maxDatagram,
  type Question,
  type Query,
  Rcode,
} from '../../../src/discovery/dns-message.ts';
import { a } from '../../helpers/dns-server.ts';

const question: Question = { name: 'boot.test', type: 'A' };
const query: Query = encodeQuery(0x1234, question, true);

function replyBytes(answers: Answer[], additionals: Answer[] = [], flags = 0): Buffer {
  return encode({ type: 'response', id: query.id, flags, questions: [question], answers, additionals });
}

const edns: Answer = {
  type: 'OPT',
  name: '.',
  udpPayloadSize: maxDatagram,
  extendedRcode: 0,
  ednsVersion: 0,
  flags: 0,
  flag_do: false,
  options: [],
};

function unspaced(text: string): string {
  return text.replaceAll(' ', '');
}

describe('a query', () => {
  test('has the bytes of RFC 1035 section 4.1, and those of RFC 6891 section 6.1.2 behind them', () => {
    const plain = '1234 0100 0001 0000 0000 0000 04626f6f74 0474657374 00 0001 0001';
    expect(Buffer.from(encodeQuery(0x1234, question, false).bytes).toString('hex')).toBe(unspaced(plain));
    const withEdns = `${plain.replace('0000 0000 0000', '0000 0000 0001')} 00 0029 04d0 00000000 0000`;
    expect(Buffer.from(query.bytes).toString('hex')).toBe(unspaced(withEdns));
  });
});

describe('a reply', () => {
  test('is read', () => {
    const answers = [a('boot.test', '192.0.2.1')];
    expect(decodeReply(replyBytes(answers), query)).toMatchObject({
      rcode: Rcode.noError,
      isTruncated: false,
      answers,
    });
  });

  test('matches its question in whatever case', () => {
    const bytes = encode({ type: 'response', id: query.id, questions: [{ name: 'BOOT.Test', type: 'A' }] });
    expect(decodeReply(bytes, query)).toBeDefined();
  });

  test('leaves the bytes as they are', () => {
    const bytes = replyBytes([a('boot.test', '192.0.2.1')], [], 0x0200);
    const before = Buffer.from(bytes);
    expect(decodeReply(bytes, query)).toMatchObject({ isTruncated: true, answers: [] });
    expect(bytes).toEqual(before);
  });

  test('has the upper half of its code in the EDNS record', () => {
    const bytes = replyBytes([], [{ ...edns, extendedRcode: 1 }]);
    expect(decodeReply(bytes, query)?.rcode).toBe(Rcode.badVersion);
  });

  test.each([
    ['knows', 0x0400, true],
    ['asks others', 0x0080, true],
    ['does neither', 0, false],
  ])('shows whether its server %s', (_, flags, isCompetent) => {
    expect(decodeReply(replyBytes([], [], flags), query)?.isCompetent).toBe(isCompetent);
  });

  test('is none if its end is missing, wherever it is cut', () => {
    const bytes = replyBytes([a('boot.test', '192.0.2.1'), a('boot.test', '192.0.2.2')], [edns]);
    for (let end = 0; end < bytes.length; end++) {
      expect(decodeReply(bytes.subarray(0, end), query)).toBeUndefined();
    }
  });
});

describe('whatever else arrives', () => {
  test('throws nothing', () => {
    const header = Buffer.from(query.bytes.subarray(0, 2));
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 600 }), fc.boolean(), (noise, hasId) => {
        decodeReply(hasId ? Buffer.concat([header, noise]) : noise, query);
      }),
      { seed: 1, numRuns: 2_000 },
    );
  });

  test('throws nothing where it nearly is a reply', () => {
    const bytes = replyBytes([a('boot.test', '192.0.2.1'), a('boot.test', '192.0.2.2')], [edns]);
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(bytes.length - 1), fc.nat(255)), { maxLength: 4 }), (changes) => {
        const changed = Buffer.from(bytes);
        for (const [at, value] of changes) changed[at] = value;
        decodeReply(changed, query);
      }),
      { seed: 1, numRuns: 2_000 },
    );
  });
});
