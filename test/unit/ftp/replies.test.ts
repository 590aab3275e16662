import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FtpProtocolError } from '../../../src/ftp/errors.ts';
import { LineFramer } from '../../../src/ftp/lines.ts';
import {
  classOf,
  encodeAnswer,
  encodeAnswerLines,
  encodeReply,
  finalText,
  replyCaps,
  ReplyParser,
} from '../../../src/ftp/replies.ts';
import { bytes, cut, drain, linesOf, repliesOf, textOf } from './streams.ts';

const brokenBackend = expect.objectContaining({
  name: 'FtpProtocolError',
  peer: 'backend',
  answer: expect.objectContaining({ code: 421 }),
});
const textUnit = fc
  .integer({ min: 1, max: 255 })
  .filter((code) => code !== 10 && code !== 13)
  .map((code) => String.fromCharCode(code));
const text = fc.string({ unit: textUnit, maxLength: 30 });
const code = fc.integer({ min: 100, max: 599 });

function ofLines(count: number): string {
  return `211-a\r\n${'x\r\n'.repeat(count - 2)}211 b\r\n`;
}

function ofBytes(count: number): string {
  const [first, last, line] = ['211-a\r\n', '211 b\r\n', `${'x'.repeat(4_094)}\r\n`];
  const inner = count - first.length - last.length;
  const rest = inner % line.length;
  return `${first}${line.repeat((inner - rest) / line.length)}${'y'.repeat(rest - 2)}\r\n${last}`;
}

describe('a reply', () => {
  const cases: readonly [string, string, [number, string[]][]][] = [
    ['of one line', '220 ready\r\n', [[220, ['220 ready']]]],
    ['without a text', '226 \r\n', [[226, ['226 ']]]],
    ['of a bare code', '226\r\n', [[226, ['226']]]],
    ['ended by LF alone', '226 done\n', [[226, ['226 done']]]],
    ['of several lines', '230-a\r\nb\r\n230 c\r\n', [[230, ['230-a', 'b', '230 c']]]],
    ['that stops with its first line', '230-\r\n230 \r\n', [[230, ['230-', '230 ']]]],
    [
      'with other codes within',
      '211-a\r\n226 b\r\n 211 c\r\n211-d\r\n2110 e\r\n421 f\r\n\r\n211 g\r\n',
      [[211, ['211-a', '226 b', ' 211 c', '211-d', '2110 e', '421 f', '', '211 g']]],
    ],
    ['with its bare code within', '211-a\r\n211\r\n211 b\r\n', [[211, ['211-a', '211', '211 b']]]],
    [
      'followed by another',
      '150 a\r\n226 b\r\n',
      [
        [150, ['150 a']],
        [226, ['226 b']],
      ],
    ],
    ['that has not ended', '211-a\r\n 226 b\r\n', []],
  ];
  it.each(cases)('%s', (_, stream, replies) => {
    expect(repliesOf(stream)).toEqual(replies.map(([code, lines]) => ({ code, lines })));
  });

  it('may be cut anywhere, and is passed on as it came', () => {
    const stream = '220-hello\r\n 220 \xe9\xff\r\n220 ok\r\n150 a\r\n226\r\n';
    for (let place = 0; place <= stream.length; place++) {
      const parser = new ReplyParser();
      const replies = linesOf('backend', cut(stream, [place])).flatMap((line) => parser.push(line) ?? []);
      expect(replies.map((reply) => textOf(encodeReply(reply))).join('')).toBe(stream);
    }
  });

  it('is acted on by its last line', () => {
    const [reply, bare] = repliesOf('227-(1,2,3,4,5,6)\r\n227 end\r\n226\r\n');
    expect(reply && finalText(reply)).toBe('end');
    expect(bare && finalText(bare)).toBe('');
  });

  it.each([
    ['code 000', '000 x'],
    ['code 099', '099 x'],
    ['code 600', '600 x'],
    ['code 999', '999-x'],
    ['two digits', '22 x'],
    ['four digits', '2200 x'],
    ['another separator', '220_x'],
    ['a tab', '220\tx'],
    ['nothing', ''],
    ['a space in front', ' 220 x'],
    ['SSH', 'SSH-2.0-OpenSSH_9.9'],
    ['HTTP', 'HTTP/1.1 400 Bad Request'],
    ['digits of another script', '\xb2\xb2\xb9 x'],
    ['a NUL', '220 a\0b'],
    ['a CR', '220 a\rb'],
    ['nine thousand bytes', `220 ${'x'.repeat(9_000)}`],
  ])("with %s is the backend's fault", (_, line) => {
    expect(() => repliesOf(`${line}\r\n`)).toThrow(brokenBackend);
  });

  it("with a faulty line within is the backend's fault", () => {
    expect(() => repliesOf('211-a\r\nb\0\r\n211 c\r\n')).toThrow(brokenBackend);
  });
});

describe('a long reply', () => {
  it('may have as many lines as the cap, not one more', () => {
    expect(repliesOf(ofLines(replyCaps.lines))[0]?.lines).toHaveLength(replyCaps.lines);
    expect(() => repliesOf(ofLines(replyCaps.lines + 1))).toThrow(brokenBackend);
  });

  it('may have as many bytes as the cap, not one more', () => {
    expect(ofBytes(replyCaps.bytes)).toHaveLength(replyCaps.bytes);
    expect(repliesOf(ofBytes(replyCaps.bytes))).toHaveLength(1);
    expect(() => repliesOf(ofBytes(replyCaps.bytes + 1))).toThrow(brokenBackend);
  });

  it('is given up long before it ends', () => {
    const [framer, parser] = [new LineFramer('backend'), new ReplyParser()];
    let lines = 0;
    const feed = (): void => {
      for (;;) {
        framer.push(bytes(lines === 0 ? '211-a\r\n' : 'x\r\n'));
        for (const line of drain(framer)) parser.push(line);
        lines += 1;
      }
    };
    expect(feed).toThrow(brokenBackend);
    expect(lines).toBe(replyCaps.lines);
  });

  it('does not count against the next one', () => {
    expect(repliesOf(ofLines(replyCaps.lines).repeat(2))).toHaveLength(2);
    expect(repliesOf(ofBytes(replyCaps.bytes).repeat(2))).toHaveLength(2);
  });
});

describe('random bytes', () => {
  it('throw nothing but the protocol error', () => {
    const piece = fc.constantFrom('2', '20', '220', '-', ' ', '\r', '\n', '\r\n', '\0', 'x', '\xff');
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
        try {
          repliesOf(pieces.join(''));
        } catch (error) {
          expect(error).toBeInstanceOf(FtpProtocolError);
        }
      }),
      { numRuns: 1_000 },
    );
  });
});

describe('classes', () => {
  it.each([
    [100, 'preliminary'],
    [199, 'preliminary'],
    [200, 'completion'],
    [299, 'completion'],
    [300, 'intermediate'],
    [399, 'intermediate'],
    [400, 'transient'],
    [499, 'transient'],
    [500, 'permanent'],
    [599, 'permanent'],
  ] as const)('%i is %s', (code, name) => {
    expect(classOf(code)).toBe(name);
  });
});

describe('an answer of ours', () => {
  it('of one line is read as it was written', () => {
    expect(textOf(encodeAnswer({ code: 226, text: 'Transfer complete.' }))).toBe(
      '226 Transfer complete.\r\n',
    );
    fc.assert(
      fc.property(code, text, (code, text) => {
        expect(repliesOf(textOf(encodeAnswer({ code, text })))).toEqual([
          { code, lines: [`${code} ${text}`] },
        ]);
      }),
    );
  });

  it('of several lines is one reply, whatever its lines say', () => {
    expect(textOf(encodeAnswerLines(211, ['Features:', 'SIZE', '211 x', 'End']))).toBe(
      '211-Features:\r\n SIZE\r\n 211 x\r\n211 End\r\n',
    );
    const line = fc.oneof(text, fc.constantFrom('211 x', '211', '226 done'));
    fc.assert(
      fc.property(fc.array(line, { minLength: 2, maxLength: 8 }), (lines) => {
        const replies = repliesOf(textOf(encodeAnswerLines(211, lines)));
        expect(replies).toHaveLength(1);
        expect(replies[0]?.lines).toHaveLength(lines.length);
      }),
    );
  });

  it.each(['a\r\n226 b', 'a\nb', 'a\rb', 'a\0b', 'snow \u2603'])('cannot carry %j', (text) => {
    expect(() => encodeAnswer({ code: 500, text })).toThrow(RangeError);
    expect(() => encodeAnswerLines(500, ['a', text, 'b'])).toThrow(RangeError);
  });

  it.each([99, 600, 226.5, Number.NaN, -1])('cannot have code %d', (code) => {
    expect(() => encodeAnswer({ code, text: '' })).toThrow(RangeError);
    expect(() => encodeAnswerLines(code, ['a', 'b'])).toThrow(RangeError);
  });

  it.each([[[]], [['one']]])('of several lines has more than %j', (lines) => {
    expect(() => encodeAnswerLines(211, lines)).toThrow(RangeError);
  });
});
