import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { printable, printableRecord } from '../../../src/observe/printable.ts';

/** The text as it comes from the wire: one character a byte. */
const wire = (text: string): string => Buffer.from(text, 'utf8').toString('latin1');

describe('printable', () => {
  it.each([
    ['pxelinux.cfg/01-88-99', 'pxelinux.cfg/01-88-99'],
    ['a b "c"', 'a b "c"'],
    [wire('größe-文件-🚀'), 'größe-文件-🚀'],
    [wire('e\u0301'), 'e\u0301'],
  ])('shows %j as it is', (bytes, text) => {
    expect(printable(bytes)).toBe(text);
  });

  it.each([
    ['a\nb', 'a\\x0ab'],
    ['\x1b[2J', '\\x1b[2J'],
    ['\x7f', '\\x7f'],
    ['\xff\xfe', '\\xff\\xfe'],
    ['\xe4hnlich', '\\xe4hnlich'],
    ['\xe2\x82', '\\xe2\\x82'],
    ['\xe2ab', '\\xe2ab'],
    ['\xc0\xaf', '\\xc0\\xaf'],
    ['\xed\xa0\x80', '\\xed\\xa0\\x80'],
    [wire('\u0085'), '\\xc2\\x85'],
    [wire('\u202e'), '\\xe2\\x80\\xae'],
    [wire('\u2028'), '\\xe2\\x80\\xa8'],
    [wire('\ufeff'), '\\xef\\xbb\\xbf'],
  ])('escapes %j', (bytes, text) => {
    expect(printable(bytes)).toBe(text);
  });

  it('doubles backslashes, so that boot\\x64 is not taken for an escape', () => {
    expect(printable('boot\\x64\\wdsnbp.com')).toBe('boot\\\\x64\\\\wdsnbp.com');
  });

  it('shows only so many bytes', () => {
    expect(printable('x'.repeat(256))).toBe('x'.repeat(256));
    expect(printable('x'.repeat(60_000))).toBe(`${'x'.repeat(256)}... (59744 bytes more)`);
    expect(printable('abcdef', 4)).toBe('abcd... (2 bytes more)');
  });

  it('shows any bytes in one visible line, from which they can be told again', () => {
    const bytes = fc.uint8Array({ maxLength: 64 }).map((array) => Buffer.from(array).toString('latin1'));
    fc.assert(
      fc.property(bytes, (name) => {
        const text = printable(name);
        expect(text).not.toMatch(/[\p{C}\p{Zl}\p{Zp}]/u);
        expect(restored(text)).toBe(name);
      }),
    );
  });
});

function restored(text: string): string {
  const parts = text.match(/\\x[0-9a-f]{2}|\\\\|[^\\]+/gu) ?? [];
  return parts
    .map((part) => {
      if (part.startsWith('\\x')) return String.fromCharCode(Number.parseInt(part.slice(2), 16));
      return part === '\\\\' ? '\\' : wire(part);
    })
    .join('');
}

describe('printableRecord', () => {
  it('escapes names and values, and keeps only so many', () => {
    expect(printableRecord({ 'a\n': 'b\0' })).toEqual({ 'a\\x0a': 'b\\x00' });
    const many = Object.fromEntries(Array.from({ length: 1000 }, (_, index) => [`o${index}`, '1']));
    expect(Object.keys(printableRecord(many))).toHaveLength(16);
  });
});
