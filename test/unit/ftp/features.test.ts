import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { refusedVerbs, securityVerbs } from '../../../src/ftp/commands.ts';
import { rewriteFeatures } from '../../../src/ftp/features.ts';
import { encodeReply, type Reply } from '../../../src/ftp/replies.ts';
import { repliesOf, textOf } from './streams.ts';

const removed = new Set([...securityVerbs, ...refusedVerbs]);
const added = new Set(['EPRT', 'EPSV']);
const rewrite = (lines: readonly string[], changes = { removed, added }): readonly string[] =>
  rewriteFeatures({ code: 211, lines }, changes).lines;

describe('FEAT', () => {
  const cases: readonly [string, string[], string[]][] = [
    [
      'of vsftpd',
      [
        '211-Features:',
        ' AUTH TLS',
        ' EPRT',
        ' EPSV',
        ' MDTM',
        ' PASV',
        ' PBSZ',
        ' PROT',
        ' SIZE',
        '211 End',
      ],
      ['211-Features:', ' EPRT', ' EPSV', ' MDTM', ' PASV', ' SIZE', '211 End'],
    ],
    [
      'that lacks what we have',
      ['211-Extensions supported', ' MLST size*;type*;', ' REST STREAM', '211 END'],
      ['211-Extensions supported', ' MLST size*;type*;', ' REST STREAM', ' EPRT', ' EPSV', '211 END'],
    ],
    [
      'with lower case, several lines a verb and unknown features',
      [
        '211-x',
        ' auth TLS',
        ' AUTH SSL',
        ' X-odd thing',
        ' AUTHOR',
        ' eprt',
        ' LPRT',
        ' P@SW',
        ' EPSV;x',
        '211 y',
      ],
      ['211-x', ' X-odd thing', ' AUTHOR', ' eprt', ' EPSV;x', '211 y'],
    ],
    [
      'that repeats its code',
      ['211-Features', '211-MDTM', '211-AUTH TLS', '211-SIZE', '211 End'],
      ['211-Features', '211-MDTM', '211-SIZE', '211-EPRT', '211-EPSV', '211 End'],
    ],
    ['that does not indent', ['211-x', 'SIZE', '211 y'], ['211-x', 'SIZE', 'EPRT', 'EPSV', '211 y']],
    [
      'that indents by four',
      ['211-x', '    SIZE', '211 y'],
      ['211-x', '    SIZE', '    EPRT', '    EPSV', '211 y'],
    ],
    [
      'with blank and odd lines',
      ['211-x', '', ' ***', '\t', '211 y'],
      ['211-x', '', ' ***', '\t', ' EPRT', ' EPSV', '211 y'],
    ],
    ['without features', ['211-x', '211 y'], ['211-x', ' EPRT', ' EPSV', '211 y']],
    ['with the security verbs alone', ['211-x', ' AUTH TLS', '211 y'], ['211-x', ' EPRT', ' EPSV', '211 y']],
    ['of one line', ['211 No features'], ['211-Features:', ' EPRT', ' EPSV', '211 End']],
    ['of a bare code', ['211'], ['211-Features:', ' EPRT', ' EPSV', '211 End']],
  ];
  it.each(cases)('%s', (_, lines, rewritten) => {
    expect(rewrite(lines)).toEqual(rewritten);
  });

  it('of a farm for passive clients has no EPRT', () => {
    const changes = { removed: new Set([...removed, 'EPRT']), added: new Set(['EPSV']) };
    expect(rewrite(['211-x', ' EPRT', ' SIZE', '211 y'], changes)).toEqual([
      '211-x',
      ' SIZE',
      ' EPSV',
      '211 y',
    ]);
  });

  it('never has what is both removed and added', () => {
    const changes = { removed: new Set(['EPRT']), added };
    expect(rewrite(['211-x', '211 y'], changes)).toEqual(['211-x', ' EPSV', '211 y']);
  });

  it('that has nothing left says so in one line', () => {
    const changes = { removed, added: new Set<string>() };
    expect(rewrite(['211-x', ' AUTH TLS', '211 y'], changes)).toEqual(['211 No features']);
    expect(rewrite(['211'], changes)).toEqual(['211 No features']);
  });

  it.each([
    { code: 500, lines: ['500 Unknown command.'] },
    { code: 530, lines: ['530-AUTH TLS', ' AUTH TLS', '530 first'] },
    { code: 200, lines: ['200 ok'] },
  ])('with $code stays as it is', (reply) => {
    expect(rewriteFeatures(reply, { removed, added })).toEqual(reply);
  });

  it('stays one valid reply and does not change a second time', () => {
    const line = fc.oneof(
      fc.constantFrom(
        ' AUTH TLS',
        'AUTH',
        ' EPSV',
        '211-SIZE',
        ' 211 x',
        '',
        '\t',
        ' MLST a*;',
        '2110 x',
        '211-',
      ),
      fc.string({ unit: fc.constantFrom(...'aZ 9-*@;\xff'.split('')), maxLength: 12 }),
    );
    fc.assert(
      fc.property(fc.array(line, { maxLength: 8 }), (inner) => {
        const before: Reply = { code: 211, lines: ['211-x', ...inner, '211 y'] };
        const after = rewriteFeatures(before, { removed, added });
        expect(repliesOf(textOf(encodeReply(after)))).toEqual([after]);
        expect(rewriteFeatures(after, { removed, added })).toEqual(after);
        const names = after.lines.slice(1, -1).map((text) => /^(?:211-)?\s*(\w*)/.exec(text)?.[1]);
        expect(names).not.toContain('AUTH');
        expect(names).toEqual(expect.arrayContaining(['EPRT', 'EPSV']));
      }),
    );
  });
});
