import { setImmediate } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FtpProtocolError, type Peer } from '../../../src/ftp/errors.ts';
import {
  encodeLines,
  type Line,
  lineCaps,
  lineError,
  type LineFault,
  lineFaults,
  LineFramer,
} from '../../../src/ftp/lines.ts';
import { stripTelnet } from '../../../src/ftp/telnet.ts';
import { bytes, cut, drain, linesOf, textOf } from './streams.ts';

const sound = (text: string, interrupted = false): Line => ({ kind: 'line', text, interrupted });
/** `line` is what is faulty, or its beginning. */
const faulty = (fault: LineFault, line: string, cap = 64): Line => ({
  kind: 'faulty',
  fault,
  start: line.slice(0, Math.min(64, cap)),
});

/** The rules once more, for a whole stream at a time. */
function expected(peer: Peer, stream: string, cap: number): Line[] {
  const pieces = stream.split('\n');
  const begun = pieces.pop() ?? '';
  const lines = pieces.map((piece): Line => {
    if (piece.length > cap) return faulty('too-long', piece, cap);
    const whole = piece.endsWith('\r') ? piece.slice(0, -1) : piece;
    const { text, interrupted } =
      peer === 'client' ? stripTelnet(whole) : { text: whole, interrupted: false };
    if (text.includes('\0')) return faulty('nul', text);
    return text.includes('\r') ? faulty('bare-cr', text) : sound(text, interrupted);
  });
  return begun.length > cap ? [...lines, faulty('too-long', begun, cap)] : lines;
}

describe('the end of a line', () => {
  const cases: readonly [string, string, Line[]][] = [
    ['is CRLF', 'NOOP\r\n', [sound('NOOP')]],
    ['may be LF alone', 'NOOP\n', [sound('NOOP')]],
    [
      'may come several times in a chunk',
      'A\r\nB\n\r\nC\r\n',
      ['A', 'B', '', 'C'].map((text) => sound(text)),
    ],
    ['has to come', 'NOOP\r', []],
    ['takes one CR along, not two', 'NOOP\r\r\n', [faulty('bare-cr', 'NOOP\r')]],
    ['comes after a faulty line too', 'A\rB\r\nC\r\n', [faulty('bare-cr', 'A\rB'), sound('C')]],
  ];
  it.each(cases)('%s', (_, stream, lines) => {
    expect(linesOf('backend', [stream])).toEqual(lines);
  });
});

describe('a line', () => {
  it('keeps every byte but NUL, CR and LF', () => {
    const all = Array.from({ length: 256 }, (_, byte) => String.fromCharCode(byte))
      .filter((character) => !'\0\r\n'.includes(character))
      .join('');
    expect(linesOf('client', [`RETR ${all}\r\n`])).toEqual([sound(`RETR ${all}`)]);
    expect(linesOf('backend', [`${all}\r\n`])).toEqual([sound(all)]);
  });

  it.each([
    ['NUL', 'RETR a\0b\r\n', 'nul'],
    ['NUL at its end', 'RETR a\0\r\n', 'nul'],
    ['CR', 'RETR a\rDELE b\r\n', 'bare-cr'],
    ['CR and NUL, the Telnet form of a CR', 'RETR a\r\0b\r\n', 'nul'],
  ] as const)('with a %s is faulty', (_, stream, fault) => {
    const start = stream.slice(0, -2);
    expect(linesOf('client', [stream])).toEqual([faulty(fault, start)]);
    expect(linesOf('backend', [stream])).toEqual([faulty(fault, start)]);
  });

  it.each(['client', 'backend'] as const)('of a %s may be as long as the cap, CR counted', (peer) => {
    const longest = 'x'.repeat(lineCaps[peer] - 1);
    expect(linesOf(peer, [`${longest}\r\nB\r\n`])).toEqual([sound(longest), sound('B')]);
    expect(linesOf(peer, [`${longest}x\r\nB\r\n`])).toEqual([faulty('too-long', longest), sound('B')]);
  });

  it('may be long and come byte by byte', () => {
    const text = Array.from({ length: 4_000 }, (_, i) => String.fromCharCode(32 + (i % 90))).join('');
    expect(linesOf('client', `${text}\r\nB\r\n`.split(''))).toEqual([sound(text), sound('B')]);
  });

  it('that is too long is told once, before its end has come', () => {
    const framer = new LineFramer('client', 8);
    framer.push(bytes('RETR long'));
    expect(drain(framer)).toEqual([faulty('too-long', 'RETR lon')]);
    framer.push(bytes('er and longer\r'));
    framer.push(bytes('DELE b'));
    expect(drain(framer)).toEqual([]);
    framer.push(bytes('\nNOOP\r\n'));
    expect(drain(framer)).toEqual([sound('NOOP')]);
  });
});

describe('chunks', () => {
  const streams: readonly [Peer, string][] = [
    ['client', '\xff\xf4\xff\xf2ABOR\r\n\xff\xfd\x03A\nB \xff\xffb\r\n\r\nX\0\nY\rb\r\n'],
    ['client', `L\r\n${'y'.repeat(17)}\r\n${'z'.repeat(16)}\nQUIT\r\n`],
    ['backend', '220-hi\r\n\xff\xf4 there\r\n220 ok\n226\r\n5\r00\r\n'],
  ];
  it.each(streams)('of a %s may be cut at any two places: %j', (peer, stream) => {
    const lines = expected(peer, stream, 16);
    for (let first = 0; first <= stream.length; first++) {
      for (let second = first; second <= stream.length; second++) {
        expect(linesOf(peer, cut(stream, [first, second]), 16)).toEqual(lines);
      }
    }
    expect(linesOf(peer, stream.split(''), 16)).toEqual(lines);
  });

  it('of random bytes give the lines of the whole stream', () => {
    // No ABOR, which may be whole at the end of a chunk.
    const piece = fc.constantFrom('a', ' ', 'NOOP', '\r', '\n', '\r\n', '\0', '\xff', '\xf4', '\xf2', '\xfd');
    const stream = fc.array(piece, { maxLength: 60 }).map((pieces) => pieces.join(''));
    fc.assert(
      fc.property(
        fc.constantFrom<Peer>('client', 'backend'),
        stream,
        fc.array(fc.nat(200), { maxLength: 10 }),
        fc.boolean(),
        (peer, text, places, isReadLate) => {
          const chunks = cut(
            text,
            places.map((place) => Math.min(place, text.length)),
          );
          const framer = new LineFramer(peer, 12);
          const lines: Line[] = [];
          for (const chunk of chunks) {
            framer.push(bytes(chunk));
            if (!isReadLate) lines.push(...drain(framer));
          }
          expect([...lines, ...drain(framer)]).toEqual(expected(peer, text, 12));
        },
      ),
      { numRuns: 500 },
    );
  });

  it('may be views into larger memory', () => {
    const framer = new LineFramer('client');
    framer.push(new Uint8Array(bytes('xxNOOP\r\nyy')).subarray(2, 8));
    expect(drain(framer)).toEqual([sound('NOOP')]);
    expect(framer.buffered).toBe(0);
  });

  it('do not matter once their lines are told', () => {
    const framer = new LineFramer('client');
    const chunk = bytes('NO');
    framer.push(chunk);
    drain(framer);
    chunk.fill(0);
    framer.push(bytes('OP\r\n'));
    expect(drain(framer)).toEqual([sound('NOOP')]);
  });
});

describe('ABOR without its LF', () => {
  const abort = sound('ABOR');
  it.each<[string, string[], Line[]]>([
    ['is whole', ['ABOR\r'], [abort]],
    ['is whole whatever the case', ['aBoR\r'], [sound('aBoR')]],
    ['is whole behind an interrupt', ['\xff\xf4\xff\xf2ABOR\r'], [sound('ABOR', true)]],
    ['is told from the next command', ['ABOR\r', 'NOOP\r\n'], [abort, sound('NOOP')]],
    ['has its LF when that comes', ['ABOR\r', '\n', 'NOOP\r\n'], [abort, sound('NOOP')]],
    ['has no more than one', ['ABOR\r', '\n\n'], [abort, sound('')]],
    ['may come byte by byte', 'NOOP\r\nABOR\r\nABOR\r'.split(''), [sound('NOOP'), abort, abort]],
    ['is none with something behind it', ['ABOR\rX\n'], [faulty('bare-cr', 'ABOR\rX')]],
    ['is none with something in front of it', ['XABOR\r'], []],
    ['is none with an argument', ['ABOR x\r'], []],
    ['is none without its CR', ['ABOR'], []],
  ])('%s', (_, chunks, lines) => {
    expect(linesOf('client', chunks)).toEqual(lines);
  });

  it('is nothing that a backend says', () => {
    expect(linesOf('backend', ['ABOR\r'])).toEqual([]);
  });
});

describe('buffered bytes', () => {
  it.each([
    [['AUTH TLS\r\n'], 0],
    [['AUTH TLS\r\nU'], 1],
    [['AUTH TLS\r\n', 'USER a\r\n'], 8],
    [['AUTH TLS\r\nUSER a\r\nPA', 'SS b\r\n'], 16],
    [['AUTH TLS\r\n', '\n'], 1],
  ])('of %j are %i behind the first line', (chunks, count) => {
    const framer = new LineFramer('client');
    for (const chunk of chunks) framer.push(bytes(chunk));
    expect(framer.next()).toEqual(sound('AUTH TLS'));
    expect(framer.buffered).toBe(count);
  });

  it('are none where a line ended with its chunk, however it was cut', () => {
    const framer = new LineFramer('backend');
    for (const character of '234 ok\r\n') {
      framer.push(bytes(character));
      framer.next();
    }
    expect(framer.buffered).toBe(0);
  });

  it('count a line that has only begun', () => {
    const framer = new LineFramer('client');
    framer.push(bytes('NOOP\r\nUS'));
    expect(drain(framer)).toEqual([sound('NOOP')]);
    expect(framer.buffered).toBe(2);
  });
});

async function memoryInUse(): Promise<number> {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  collect();
  // Memory that the first collection found is given back in the background.
  await setImmediate();
  collect();
  return process.memoryUsage().arrayBuffers;
}

describe('memory', () => {
  it.each([
    ['one endless line', 'x'],
    ['endless Telnet commands', '\xff\xf4'],
    ['endless CR', '\r'],
  ])('is bounded for %s', async (_, unit) => {
    const framer = new LineFramer('client');
    const before = await memoryInUse();
    let told = 0;
    for (let i = 0; i < 256; i++) {
      framer.push(Buffer.alloc(65_536, unit, 'latin1'));
      told += drain(framer).length;
    }
    const kept = (await memoryInUse()) - before;
    expect(kept).toBeLessThan(1024 * 1024);
    expect([told, framer.buffered]).toEqual([1, 0]);
  });

  it('and time are bounded for many lines byte by byte, read at once or late', () => {
    const framer = new LineFramer('client');
    const [letter, end] = [bytes('x'), bytes('\n')];
    let told = 0;
    for (let i = 0; i < 100_000; i++) {
      framer.push(i % 2 === 0 ? letter : end);
      if (framer.next() !== undefined) told += 1;
    }
    for (let i = 0; i < 100_000; i++) framer.push(i % 2 === 0 ? letter : end);
    expect(told + drain(framer).length).toBe(100_000);
  });
});

describe('a faulty line', () => {
  it.each(lineFaults)('(%s) is the fault of whoever sent it', (fault) => {
    const client = lineError('client', fault);
    expect(client).toBeInstanceOf(FtpProtocolError);
    expect(client).toMatchObject({ code: 'TLB_ERR_FTP_PROTOCOL', peer: 'client', answer: { code: 500 } });
    expect(lineError('backend', fault)).toMatchObject({ peer: 'backend', answer: { code: 421 } });
  });
});

describe('lines for the wire', () => {
  it('are read as they were written', () => {
    const unit = fc
      .integer({ min: 1, max: 255 })
      .filter((code) => code !== 10 && code !== 13)
      .map((code) => String.fromCharCode(code));
    fc.assert(
      fc.property(fc.array(fc.string({ unit })), (lines) => {
        expect(linesOf('backend', [textOf(encodeLines(lines))])).toEqual(lines.map((text) => sound(text)));
      }),
    );
  });

  it.each(['a\r', 'a\nb', '\0', 'a\u0100', '\u{1f4be}'])('cannot carry %j', (text) => {
    expect(() => encodeLines(['fine', text])).toThrow(RangeError);
  });
});
