import { mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { formatXferlog, Xferlog, type XferlogEntry } from '../../../src/observe/xferlog.ts';

const entry: XferlogEntry = {
  at: new Date(2026, 0, 3, 4, 5, 6),
  duration: 2_400,
  client: '192.0.2.7',
  bytes: 1_048_576,
  file: '/pub/a file\n\xc3\x89',
  isAscii: false,
  isUpload: true,
  user: 'erin',
  isComplete: true,
};

describe('formatXferlog', () => {
  it('has fourteen fields behind single spaces, whatever a name contains', () => {
    expect(formatXferlog(entry)).toBe(
      'Sat Jan  3 04:05:06 2026 2 192.0.2.7 1048576 /pub/a_file_\xc3\x89 b _ i r erin ftp 0 * c\n',
    );
  });

  it.each<[string, Partial<XferlogEntry>, string]>([
    ['a download of text', { isUpload: false, isAscii: true }, ' a _ o r erin ftp 0 * c\n'],
    ['an anonymous user', { user: 'Anonymous' }, ' b _ i a Anonymous ftp 0 * c\n'],
    ['no user', { user: '' }, ' b _ i r _ ftp 0 * c\n'],
    ['a transfer that broke', { isComplete: false }, ' b _ i r erin ftp 0 * i\n'],
  ])('%s', (_, change, end) => {
    expect(formatXferlog({ ...entry, ...change }).endsWith(end)).toBe(true);
  });

  it('a short transfer took a second', () => {
    expect(formatXferlog({ ...entry, duration: 3 })).toContain(' 2026 1 192.0.2.7 ');
  });
});

describe('Xferlog', () => {
  let folder: string;
  let file: string;
  const faults: unknown[] = [];

  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'xferlog-'));
    file = path.join(folder, 'xferlog');
    faults.length = 0;
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('appends, and goes on in a new file when the old one was renamed', () => {
    const log = new Xferlog(file, (error) => faults.push(error));
    log.write(entry);
    renameSync(file, `${file}.1`);
    log.write(entry);
    log.reopen();
    log.write({ ...entry, user: 'frank' });
    log.close();
    expect(readFileSync(`${file}.1`, 'latin1').split('\n')).toHaveLength(3);
    expect(readFileSync(file, 'latin1')).toContain('frank');
    expect(faults).toEqual([]);
  });

  it('keeps the old file where no new one can be had, and says so once', () => {
    const log = new Xferlog(file, (error) => faults.push(error));
    renameSync(folder, `${folder}-moved`);
    log.reopen();
    log.reopen();
    log.write(entry);
    log.close();
    renameSync(`${folder}-moved`, folder);
    expect(readFileSync(file, 'latin1')).toBe(formatXferlog(entry));
    expect(faults).toHaveLength(1);
  });

  it('fails at once where the file cannot be opened', () => {
    expect(() => new Xferlog(path.join(folder, 'none', 'xferlog'), () => {})).toThrow(/ENOENT/);
  });
});
