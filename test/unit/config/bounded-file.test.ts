import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { readFirstLine, readUpTo } from '../../../src/config/bounded-file.ts';
import { removeFolders, temporaryFolder } from '../../helpers/folders.ts';

afterAll(removeFolders);

function fileWith(text: string): string {
  const file = path.join(temporaryFolder('bounded'), 'file');
  writeFileSync(file, text);
  return file;
}

describe('what is read of a file', () => {
  it('is all of it, or as much as may be', () => {
    const file = fileWith('abcdef');
    expect(readUpTo(file, 10).toString()).toBe('abcdef');
    expect(readUpTo(file, 6).toString()).toBe('abcdef');
    expect(readUpTo(file, 5).toString()).toBe('abcde');
  });

  it('is bounded where there is no end', () => {
    expect(readUpTo('/dev/zero', 100_000)).toHaveLength(100_000);
    expect(() => readFirstLine('/dev/zero')).toThrow('the first line of /dev/zero has more than 4096 bytes');
  });
});

describe('the first line', () => {
  it.each([
    ['', ''],
    ['secret', 'secret'],
    ['secret\n', 'secret'],
    ['secret\r\nmore\n', 'secret'],
    ['\nmore', ''],
    [`${'x'.repeat(4096)}\nmore`, 'x'.repeat(4096)],
  ])('of %j', (text, line) => {
    expect(readFirstLine(fileWith(text))).toBe(line);
  });

  it('may not be too long', () => {
    expect(() => readFirstLine(fileWith(`${'x'.repeat(4097)}\n`))).toThrow('has more than 4096 bytes');
  });
});
