import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  epsvAnswer,
  formatEprt,
  formatPort,
  parseEprt,
  parseEpsv,
  parseEpsvReply,
  parsePasvReply,
  parsePort,
  pasvAnswer,
} from '../../../src/ftp/endpoints.ts';
import { parseAddress } from '../../../src/ftp/addresses.ts';
import { encodeAnswer, type Reply } from '../../../src/ftp/replies.ts';
import { textOf, words } from './streams.ts';

const port = fc.integer({ min: 1, max: 65_535 });
const v4 = (address: string, port: number): unknown => ({ kind: 'endpoint', family: 4, address, port });
const v6 = (address: string, port: number): unknown => ({ kind: 'endpoint', family: 6, address, port });
const refusal = (code: number): unknown => ({ kind: 'refused', answer: expect.objectContaining({ code }) });
const pasv = (text: string): Reply => ({ code: 227, lines: [`227 ${text}`] });
const epsv = (text: string): Reply => ({ code: 229, lines: [`229 ${text}`] });

describe('PORT', () => {
  it.each([
    ['10,0,0,1,4,1', '10.0.0.1', 1025],
    ['10,0,0,1,0,22', '10.0.0.1', 22],
    ['255,255,255,255,255,255', '255.255.255.255', 65_535],
    ['010,000,000,001,004,001', '10.0.0.1', 1025],
  ])('%s', (argument, address, port) => {
    expect(parsePort(argument)).toEqual(v4(address, port));
  });

  const broken = words(`
    1,2,3,4,5 1,2,3,4,5,6,7 256,2,3,4,5,6 1,2,3,4,5,256 1,2,3,4,0,0 -1,2,3,4,5,6 1,2,3,4,5, ,,,,,
    1.2.3.4,5,6 (1,2,3,4,5,6) 1,2,3,4,5,1e1 0x1,2,3,4,5,6 1,2,3,4,5,9999999999999 1,2,3,4,5,6\xff 1,2,3,4,5,\xb2
  `);
  it.each([...broken, '', '1,2,3,4,5,6 ', ' 1,2,3,4,5,6', '1, 2,3,4,5,6'])(
    '%j is refused with 501',
    (argument) => {
      expect(parsePort(argument)).toEqual(refusal(501));
    },
  );

  it('is read as it was written', () => {
    fc.assert(
      fc.property(fc.ipV4(), port, (address, port) => {
        expect(parsePort(formatPort(address, port))).toEqual(v4(address, port));
      }),
    );
  });

  it('has no room for IPv6', () => {
    expect(() => formatPort('::1', 2_000)).toThrow(RangeError);
    expect(formatPort('::ffff:10.0.0.1', 1_025)).toBe('10,0,0,1,4,1');
  });
});

describe('EPRT', () => {
  it.each([
    ['|1|132.235.1.2|6275|', 4, v4('132.235.1.2', 6275)],
    ['|2|1080::8:800:200C:417A|5282|', 6, v6('1080::8:800:200c:417a', 5282)],
    ['!1!10.0.0.1!22!', 4, v4('10.0.0.1', 22)],
    ['~2~::1~65535~', 6, v6('::1', 65_535)],
    ['91910.0.0.1920009', 4, v4('10.0.0.1', 2000)],
    ['|2|::ffff:10.0.0.1|2000|', 4, v4('10.0.0.1', 2000)],
  ] as const)('%s', (argument, family, endpoint) => {
    expect(parseEprt(argument, family)).toEqual(endpoint);
  });

  const broken = words(`
    | || ||| |||| |1|10.0.0.1|2000 1|10.0.0.1|2000| |1|10.0.0.1|2000|| |1|10.0.0.1|2000|x |1!10.0.0.1!2000!
    |1|10.0.0.1|0| |1|10.0.0.1|65536| |1|10.0.0.1|-1| |1|10.0.0.1|1e3| |1|10.0.0.1|02000| |1|10.0.0.1||
    |1|10.0.0.1|99999999999999999999| |1|10.0.0.256|2000| |1||2000| |1|::1|2000| |1|::ffff:10.0.0.1|2000|
    |2|10.0.0.1|2000| |2|fe80::1%eth0|2000| |1|localhost|2000| ||10.0.0.1|2000| |x|10.0.0.1|2000|
    |-1|10.0.0.1|2000| |999999|a|1| \xa71\xa710.0.0.1\xa72000\xa7 .1.10.0.0.1.2000. :2:::1:2000:
  `);
  it.each([...broken, '', ' 1 10.0.0.1 2000 '])('%j is refused with 501', (argument) => {
    expect(parseEprt(argument, 4)).toEqual(refusal(501));
  });

  it.each([
    ['|2|::1|2000|', 4, '(1)'],
    ['|1|10.0.0.1|2000|', 6, '(2)'],
    ['|2|::ffff:10.0.0.1|2000|', 6, '(2)'],
    ['|3|whatever|2000|', 4, '(1)'],
    ['|0|whatever|2000|', 6, '(2)'],
  ] as const)('%s is refused with 522 and what to use', (argument, family, hint) => {
    const text = `Network protocol not supported, use ${hint}`;
    expect(parseEprt(argument, family)).toEqual({ kind: 'refused', answer: { code: 522, text } });
  });

  it('is read as it was written, with any delimiter', () => {
    const delimiter = fc.integer({ min: 33, max: 126 }).map((code) => String.fromCharCode(code));
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), port, delimiter, (text, port, delimiter) => {
        const parsed = parseAddress(text) ?? expect.fail(`${text} is an address`);
        const argument = formatEprt(text, port);
        fc.pre(!argument.includes(delimiter) || delimiter === '|');
        expect(parseEprt(argument.replaceAll('|', delimiter), parsed.family)).toEqual({
          kind: 'endpoint',
          ...parsed,
          port,
        });
      }),
    );
  });
});

describe('EPSV', () => {
  it.each([
    ['', 4, { kind: 'listen' }],
    ['', 6, { kind: 'listen' }],
    ['1', 4, { kind: 'listen' }],
    ['2', 6, { kind: 'listen' }],
    ['ALL', 4, { kind: 'all' }],
    ['all', 6, { kind: 'all' }],
    ['1', 6, refusal(522)],
    ['2', 4, refusal(522)],
    ['3', 4, refusal(522)],
    ['0', 4, refusal(522)],
    ['x', 4, refusal(501)],
    ['1 ', 4, refusal(501)],
    ['-1', 4, refusal(501)],
    ['ALLE', 4, refusal(501)],
    ['9'.repeat(300), 4, refusal(501)],
  ] as const)('%j over IPv%i', (argument, family, result) => {
    expect(parseEpsv(argument, family)).toEqual(result);
  });
});

describe('227', () => {
  it.each([
    ['Entering Passive Mode (10,0,0,1,4,1).', '10.0.0.1', 1025],
    ['Entering Passive Mode (10,0,0,1,4,0)', '10.0.0.1', 1024],
    ['=10,0,0,1,255,255', '10.0.0.1', 65_535],
    ['10,0,0,1,8,0', '10.0.0.1', 2048],
    ['mode 2 of 3 at 0,0,0,0,8,0,9,9 ok', '0.0.0.0', 2048],
    ['1,2,3 no: (10,0,0,1,8,0) then (9,9,9,9,9,9)', '10.0.0.1', 2048],
  ])('%s', (text, address, port) => {
    expect(parsePasvReply(pasv(text))).toEqual(v4(address, port));
  });

  const broken = words(`
    none (10,0,0,1,4) (10,0,0,1,0,0) (10,0,0,1,0,22) (10,0,0,1,3,255) (256,0,0,1,8,0) (10,0,0,1,256,0)
    (10,0,0,1,8,256) (10,0,0,1,8,99999) (1110,0,0,1,8,0) (300,0,0,1,8,0)(10,0,0,1,8,0) (10.0.0.1.8.0)
    (10,0,0,1,-8,0) (10,0,0,1,,8,0) (|||2000|) 1,1,1,1,1, (${'9'.repeat(4_000)},0,0,1,8,0)
  `);
  it.each([...broken, '', '(10, 0, 0, 1, 8, 0)'])('%j names no port', (text) => {
    expect(parsePasvReply(pasv(text))).toBeUndefined();
  });

  it('is read in its last line alone', () => {
    expect(parsePasvReply({ code: 227, lines: ['227-(10,0,0,1,8,0)', '227 ok'] })).toBeUndefined();
    expect(parsePasvReply({ code: 227, lines: ['227'] })).toBeUndefined();
  });

  it.each([
    ['too few numbers, 800 times', '1,1,1,1,1;'.repeat(800)],
    ['five huge numbers', `${'1'.repeat(1_600)},`.repeat(5)],
    ['one huge number', '1'.repeat(8_000)],
  ])('is found behind %s', (_, text) => {
    expect(parsePasvReply(pasv(`${text} (10,0,0,1,8,0)`))).toEqual(v4('10.0.0.1', 2048));
  });

  it('of ours is worded as middleboxes know it, and read as it was written', () => {
    expect(textOf(encodeAnswer(pasvAnswer('10.0.0.1', 1_025)))).toBe(
      '227 Entering Passive Mode (10,0,0,1,4,1).\r\n',
    );
    fc.assert(
      fc.property(fc.ipV4(), fc.integer({ min: 1024, max: 65_535 }), (address, port) => {
        expect(parsePasvReply(pasv(pasvAnswer(address, port).text))).toEqual(v4(address, port));
      }),
    );
  });
});

describe('229', () => {
  it.each([
    ['Entering Extended Passive Mode (|||6446|)', 6446],
    ['Entering Extended Passive Mode (|||6446|).', 6446],
    ['(!!!1!)', 1],
    ['(~~~65535~)', 65_535],
    ['(((((2000())', 2000],
    ['()))2000))', 2000],
    ['see (this) (|||2000|) (|||3000|)', 2000],
    ['(aaa2000a)', 2000],
  ])('%s', (text, port) => {
    expect(parseEpsvReply(epsv(text))).toBe(port);
  });

  const broken = words(`
    none |||2000| (||2000|) (|||2000| (|||2000!) (||!2000|) (11120001) (|||0|) (|||65536|) (|||-1|) (|||1e3|)
    (|||02000|) (|1|10.0.0.1|2000|) (|||2000|3) (|||99999999999999|) (\xa7\xa7\xa72000\xa7) (10,0,0,1,8,0)
    (|||${'9'.repeat(4_000)}|)
  `);
  it.each([...broken, '', '(   2000 )', '(||| 2000|)'])('%j names no port', (text) => {
    expect(parseEpsvReply(epsv(text))).toBeUndefined();
  });

  it('of ours is worded as middleboxes know it, and read as it was written', () => {
    expect(textOf(encodeAnswer(epsvAnswer(6_446)))).toBe('229 Entering Extended Passive Mode (|||6446|)\r\n');
    fc.assert(
      fc.property(port, (port) => {
        expect(parseEpsvReply(epsv(epsvAnswer(port).text))).toBe(port);
      }),
    );
  });
});

describe('what we write', () => {
  it.each([0, 65_536, 1.5, Number.NaN, -1])('never has port %d', (port) => {
    expect(() => formatPort('10.0.0.1', port)).toThrow(RangeError);
    expect(() => formatEprt('10.0.0.1', port)).toThrow(RangeError);
    expect(() => pasvAnswer('10.0.0.1', port)).toThrow(RangeError);
    expect(() => epsvAnswer(port)).toThrow(RangeError);
  });

  it('never has a name or a zone for an address', () => {
    expect(() => formatEprt('fe80::1%eth0', 2_000)).toThrow(RangeError);
    expect(() => formatPort('localhost', 2_000)).toThrow(RangeError);
    expect(() => pasvAnswer('::1', 2_000)).toThrow(RangeError);
  });
});

it('random text throws nothing', () => {
  const unit = fc.constantFrom(...'0123456789,|()!-:.ALx \xff'.split(''));
  fc.assert(
    fc.property(fc.string({ unit, maxLength: 40 }), (text) => {
      parsePort(text);
      parseEprt(text, 4);
      parseEpsv(text, 6);
      parsePasvReply(pasv(text));
      parseEpsvReply(epsv(text));
    }),
    { numRuns: 2_000 },
  );
});
