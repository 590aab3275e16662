import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FileFilter, plainName } from '../../../src/engine/file-filter.ts';
import { Glob } from '../../../src/engine/glob.ts';

/** What the pattern means, tried out in all ways. */
function naive(pattern: string, name: string, isStart = true): boolean {
  if (pattern === '') return name === '';
  const stars = /^\**/.exec(pattern)?.[0].length ?? 0;
  const rest = pattern.slice(stars);
  if (stars > 0) {
    const isFolders = stars > 1 && isStart && rest.startsWith('/');
    if (isFolders && naive(rest.slice(1), name, true)) return true;
    for (let taken = 0; taken <= name.length; taken += 1) {
      if (stars === 1 && name.slice(0, taken).includes('/')) break;
      if (naive(rest, name.slice(taken), false)) return true;
    }
    return false;
  }
  const [wanted = ''] = pattern;
  const [first] = name;
  if (first === undefined || (wanted === '?' ? first === '/' : first !== wanted)) return false;
  return naive(rest.slice(1), name.slice(1), wanted === '/');
}

const matches = (pattern: string, name: string): boolean => new Glob(pattern).matches(name);

describe('a pattern of file names', () => {
  it.each([
    ['*.efi', 'boot.efi', true],
    ['*.efi', 'x/boot.efi', false],
    ['**.efi', 'x/boot.efi', true],
    ['**/boot.efi', 'boot.efi', true],
    ['**/boot.efi', 'a/b/boot.efi', true],
    ['**/boot.efi', 'aboot.efi', false],
    ['a/**/b', 'a/b', true],
    ['a/**/b', 'a/x/y/b', true],
    ['a/**/**/b', 'a/b', true],
    ['a/**/**/b', 'ab', false],
    ['a**/b', 'ab', false],
    ['cfg/??', 'cfg/ab', true],
    ['cfg/??', 'cfg/a/', false],
    ['cfg/**', 'cfg/a/b', true],
    ['cfg/**', 'cfg', false],
    ['', '', true],
    ['', 'a', false],
    ['*', '', true],
    ['a.c', 'abc', false],
    ['[a]', '[a]', true],
  ])('%s matches %s: %s', (pattern, name, expected) => {
    expect(matches(pattern, name)).toBe(expected);
    expect(naive(pattern, name)).toBe(expected);
  });

  it('means what trying out all ways finds', () => {
    const pattern = fc.array(fc.constantFrom('a', 'b', '/', '*', '**', '**/', '?', '/**/'), { maxLength: 8 });
    const name = fc.array(fc.constantFrom('a', 'b', '/', 'ab'), { maxLength: 9 });
    fc.assert(
      fc.property(pattern, name, (parts, letters) => {
        const [text, file] = [parts.join(''), letters.join('')];
        expect([text, file, matches(text, file)]).toEqual([text, file, naive(text, file)]);
      }),
      { numRuns: 2_000 },
    );
  });

  it('may be longer than a word, and so may be what it leaves out', () => {
    const long = `${'x'.repeat(31)}/**/${'y'.repeat(40)}?*z`;
    expect(matches(long, `${'x'.repeat(31)}/${'y'.repeat(41)}z`)).toBe(true);
    expect(matches(long, `${'x'.repeat(31)}/q/r/${'y'.repeat(41)}uuuz`)).toBe(true);
    expect(matches(long, `${'x'.repeat(31)}${'y'.repeat(41)}z`)).toBe(false);
    for (let size = 28; size < 36; size += 1) {
      expect(matches(`${'x'.repeat(size)}/**/b`, `${'x'.repeat(size)}/b`)).toBe(true);
      expect(matches(`${'x'.repeat(size)}*`, 'x'.repeat(size + 3))).toBe(true);
    }
  });

  it('takes the time of the name, whatever both are made of', () => {
    const glob = new Glob('**a*'.repeat(60));
    const name = 'a'.repeat(2_000);
    // Going back would take longer than the universe has been there.
    for (let round = 0; round < 100; round += 1) expect(glob.matches(`${name}/`)).toBe(false);
  });
});

describe('a filter of files', () => {
  const names = ['boot/a.efi', '/boot//a.efi', './boot/./a.efi', 'boot\\a.efi', '\\boot/a.efi'];

  it.each(names)('knows %j however it is spelled', (name) => {
    expect(new FileFilter({ allow: [], deny: ['boot/*'] }).permits(plainName(name))).toBe(false);
    expect(new FileFilter({ allow: ['/boot/*.efi'], deny: [] }).permits(plainName(name))).toBe(true);
  });

  it.each([
    ['a', [], [], true],
    ['a', ['b'], [], false],
    ['a', ['a'], ['a'], false],
    ['a', ['*'], ['b'], true],
    ['a', [], ['b'], true],
  ])('%s with %j allowed and %j denied: %s', (name, allow, deny, expected) => {
    expect(new FileFilter({ allow, deny }).permits(name)).toBe(expected);
  });

  it('compares what is beyond ASCII as the bytes of UTF-8', () => {
    const filter = new FileFilter({ allow: ['grün*'], deny: [] });
    expect(filter.permits(Buffer.from('grün.cfg').toString('latin1'))).toBe(true);
    expect(filter.permits('grün.cfg')).toBe(false);
  });
});
