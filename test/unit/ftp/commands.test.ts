import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  encodeCommand,
  isHttpRequest,
  isReading,
  parseCommand,
  refusedVerbs,
  securityVerbs,
  transferVerbs,
  urgentVerbs,
} from '../../../src/ftp/commands.ts';
import { FtpProtocolError } from '../../../src/ftp/errors.ts';
import { encodeLines } from '../../../src/ftp/lines.ts';
import { linesOf, textOf, words } from './streams.ts';

const argumentUnit = fc
  .integer({ min: 1, max: 255 })
  .filter((code) => code !== 10 && code !== 13)
  .map((code) => String.fromCharCode(code));

describe('a command', () => {
  it.each([
    ['NOOP', 'NOOP', ''],
    ['noop', 'NOOP', ''],
    ['pwd', 'PWD', ''],
    ['RETR a b', 'RETR', 'a b'],
    ['RETR  leading', 'RETR', ' leading'],
    ['RETR trailing ', 'RETR', 'trailing '],
    ['RETR \t', 'RETR', '\t'],
    ['CWD ', 'CWD', ''],
    ['Retr \xe9\xff\xff', 'RETR', '\xe9\xff\xff'],
    ['XSHA256 f', 'XSHA256', 'f'],
    ['ABCDEFGH', 'ABCDEFGH', ''],
    ['p@sw', 'P@SW', ''],
  ])('%j is %s with %j', (text, verb, argument) => {
    expect(parseCommand(text)).toEqual({ verb, argument, text });
  });

  it.each([
    ['nothing', ''],
    ['a space', ' '],
    ['a space in front', ' NOOP'],
    ['a tab behind the verb', 'RETR\tfile'],
    ['two letters', 'LS'],
    ['nine letters', 'ABCDEFGHI'],
    ['a digit in front', '2ETR f'],
    ['a reply', '226 done'],
    ['an @', 'PA@S'],
    ['a NUL', 'RETR\0f'],
    ['a byte over 127', 'RETR\xe9'],
    ['an IAC within', 'AB\xff\xf4OR'],
    ['a letter that folds to ASCII', '\u017fite'],
    ['a hyphen', 'RETR- f'],
    ['four thousand letters', 'A'.repeat(4_000)],
  ])('is not %s', (_, text) => {
    expect(() => parseCommand(text)).toThrow(
      expect.objectContaining({
        name: 'FtpProtocolError',
        peer: 'client',
        answer: expect.objectContaining({ code: 500 }),
      }),
    );
  });

  it('is read as it was written', () => {
    const verb = fc.string({
      unit: fc.constantFrom(...'ABCDEFGHIJKLMNOPQRSTUVWXYZ'.split('')),
      minLength: 3,
      maxLength: 8,
    });
    fc.assert(
      fc.property(verb, fc.string({ unit: argumentUnit }), (verb, argument) => {
        const [line] = linesOf('client', [textOf(encodeCommand(verb, argument))]);
        const text = line?.kind === 'line' ? line.text : '';
        const command = parseCommand(text);
        expect(command).toMatchObject({ verb, argument });
        expect(encodeLines([command.text])).toEqual(encodeCommand(verb, argument));
      }),
    );
    expect(textOf(encodeCommand('PASV'))).toBe('PASV\r\n');
  });

  it('of random bytes is one, or the protocol error', () => {
    const piece = fc.oneof(argumentUnit, fc.constantFrom('PASS', 'mdtm', 'XSHA', ' ', '@', '1', '20200101 '));
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 6 }), (pieces) => {
        const text = pieces.join('');
        try {
          const command = parseCommand(text);
          expect(text.toUpperCase().startsWith(command.verb)).toBe(true);
          expect(isReading(command)).toBeTypeOf('boolean');
        } catch (error) {
          expect(error).toBeInstanceOf(FtpProtocolError);
        }
      }),
      { numRuns: 1_000 },
    );
  });

  it('of ours cannot carry another one', () => {
    expect(() => encodeCommand('RETR', 'a\r\nDELE b')).toThrow(RangeError);
    expect(() => encodeCommand('RETR\n')).toThrow(RangeError);
  });

  it('that is broken is not quoted in the error', () => {
    expect(() => parseCommand('PASS\tsecret')).toThrow(/^(?!.*secret)/);
  });
});

describe('verbs', () => {
  it('fall into closed classes', () => {
    expect([...transferVerbs]).toEqual(['RETR', 'STOR', 'STOU', 'APPE', 'LIST', 'NLST', 'MLSD']);
    expect([...urgentVerbs]).toEqual(['ABOR', 'STAT', 'QUIT']);
    expect([...securityVerbs]).toEqual(['AUTH', 'PBSZ', 'PROT', 'CCC', 'ADAT']);
    expect([...refusedVerbs]).toEqual(['P@SW', 'CPSV', 'SPSV', 'LPRT', 'LPSV']);
  });
});

describe('where nothing may be written', () => {
  const reading = words(`
    USER PASS ACCT REIN QUIT CWD XCWD CDUP XCUP PWD XPWD SYST STAT HELP NOOP FEAT OPTS PORT EPRT PASV EPSV TYPE
    STRU MODE REST ABOR RETR LIST NLST MLSD MLST SIZE MDTM HASH XCRC noop
  `);
  it.each([...reading, 'MDTM f', 'MDTM 2020 plans', 'MDTM 20200101120000', 'RETR a b'])(
    '%s passes',
    (text) => {
      expect(isReading(parseCommand(text))).toBe(true);
    },
  );

  const writing = words(`
    STOR STOU APPE DELE MKD RMD XMKD XRMD RNFR RNTO ALLO SITE SMNT MFMT MFCT MFF COMB XYZZY P@SW dele
  `);
  const settingTime = ['20200101120000 f', '20200101120000.5 f', '20200101120000+60 f', ' 20200101 f'];
  it.each([...writing, 'SITE HELP', ...settingTime.map((argument) => `MDTM ${argument}`)])(
    '%s does not',
    (text) => {
      expect(isReading(parseCommand(text))).toBe(false);
    },
  );
});

describe('an HTTP request', () => {
  it.each([
    'GET / HTTP/1.1',
    'POST /x HTTP/1.0',
    'get /',
    'HEAD',
    'PRI * HTTP/2.0',
    'made-up / HTTP/1.1',
    'OPTIONS *',
  ])('is %j', (text) => {
    expect(isHttpRequest(text)).toBe(true);
  });

  it.each([
    'USER anonymous',
    'OPTS UTF8 ON',
    'GETS',
    'FEAT',
    '',
    'RETR HTTP/1.1.txt',
    'HOST a.example',
    'PORT 1,2',
  ])('is not %j', (text) => {
    expect(isHttpRequest(text)).toBe(false);
  });
});
