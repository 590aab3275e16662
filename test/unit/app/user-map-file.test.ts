import { mkdirSync, renameSync, rmdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { UserMapFile } from '../../../src/app/user-map-file.ts';
import { maxMapBytes } from '../../../src/ftp/user-map.ts';
import { temporaryFolder } from '../../helpers/folders.ts';

let file: string;
let said: string[];
let map: UserMapFile;
/** The timer that is set, and who waits for the next one. */
let due: (() => void) | undefined;
let onSet: (() => void) | undefined;

beforeEach(() => {
  file = path.join(temporaryFolder('users'), 'users.yaml');
  said = [];
  due = undefined;
  map = new UserMapFile(file, {
    clock: {
      setTimer: (_, callback) => {
        due = callback;
        onSet?.();
        return { cancel: () => (due = undefined) };
      },
    },
    onChange: (users) => said.push(`${users} users`),
    onFault: (error) => said.push(error),
  });
  onTestFinished(() => map.stop());
});

/** Lets it look at the file once. */
async function look(): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  onSet = resolve;
  due?.();
  await promise;
}

async function started(text: string): Promise<void> {
  writeFileSync(file, text);
  await map.start();
}

describe('the file of a user map', () => {
  it('is read at the start', async () => {
    await started('a: b');
    expect(map.text).toBe('a: b');
    await look();
    expect([said, map.text]).toEqual([[], 'a: b']);
  });

  it('is read again when it has changed and stays as it is', async () => {
    await started('a: b');
    writeFileSync(file, 'a: b\nb: c');
    await look();
    expect([said, map.text]).toEqual([[], 'a: b']);
    await look();
    expect([said, map.text]).toEqual([['2 users'], 'a: b\nb: c']);
    await look();
    expect(said).toEqual(['2 users']);
  });

  it('is not read while somebody writes it', async () => {
    await started('a: b');
    for (const text of ['a: c\nb', 'a: c\nb: d\nc', 'a: c\nb: d\nc: e']) {
      writeFileSync(file, text);
      await look();
    }
    expect([said, map.text]).toEqual([[], 'a: b']);
    await look();
    expect([said, map.text]).toEqual([['3 users'], 'a: c\nb: d\nc: e']);
  });

  it('may be replaced, or be a link that is', async () => {
    await started('a: b');
    const other = `${file}.new`;
    writeFileSync(other, 'a: c');
    renameSync(other, file);
    await look();
    await look();
    expect(map.text).toBe('a: c');
    writeFileSync(other, 'a: d');
    rmSync(file);
    symlinkSync(other, file);
    await look();
    await look();
    expect([said, map.text]).toEqual([['1 users', '1 users'], 'a: d']);
  });

  it('that has the same text again is no news', async () => {
    await started('a: b');
    writeFileSync(file, 'a: b');
    await look();
    await look();
    expect(said).toEqual([]);
  });

  it('that becomes bad leaves the last good map, says so once, and may be mended', async () => {
    await started('a: b');
    writeFileSync(file, 'a: b\nb\n');
    for (let looks = 0; looks < 5; looks += 1) await look();
    expect([said, map.text]).toEqual([['line 2: expected user: backend'], 'a: b']);
    writeFileSync(file, 'a: b\nb: c\n');
    await look();
    await look();
    expect([said.slice(1), map.text]).toEqual([['2 users'], 'a: b\nb: c\n']);
  });

  it.each([
    ['gone', () => undefined, 'ENOENT'],
    ['a folder', () => mkdirSync(file), 'it is no file'],
    ['too large', () => writeFileSync(file, '#'.repeat(maxMapBytes + 1)), 'bytes'],
    ['not UTF-8', () => writeFileSync(file, Buffer.of(0x61, 0xff)), 'no text in UTF-8'],
  ])('that is %s leaves the last good map', async (_, spoil, said1) => {
    await started('a: b');
    rmSync(file);
    spoil();
    for (let looks = 0; looks < 5; looks += 1) await look();
    expect(said).toEqual([expect.stringContaining(said1)]);
    expect(map.text).toBe('a: b');
    if (said1 === 'it is no file') rmdirSync(file);
    writeFileSync(file, 'a: c');
    await look();
    await look();
    expect(map.text).toBe('a: c');
  });

  it.each([
    ['is missing', undefined, 'ENOENT'],
    ['is no map', 'a', 'line 1: expected user: backend'],
  ])('that %s at the start is an error', async (_, text, reason) => {
    if (text !== undefined) writeFileSync(file, text);
    await expect(map.start()).rejects.toThrow(reason);
    await expect(map.start()).rejects.toMatchObject({ code: 'TLB_ERR_USER_MAP_FILE' });
    expect(due).toBeUndefined();
  });

  it('is left alone at the end', async () => {
    await started('a: b');
    map.stop();
    expect(due).toBeUndefined();
  });
});
