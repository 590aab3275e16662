import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  mkdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { FileError } from '../../../src/discovery/files.ts';
import { nodeFiles } from '../../../src/discovery/node-files.ts';
import { removeFolders, temporaryFolder } from '../../helpers/folders.ts';
import { until } from '../../helpers/processes.ts';

afterAll(removeFolders);

function newFile(text: string): string {
  const file = path.join(temporaryFolder('files'), 'list.yaml');
  writeFileSync(file, text);
  return file;
}

describe('reading', () => {
  test('gives what is in a file, without a mark in front', async () => {
    expect(await nodeFiles.read(newFile('\u{feff}- \u{e9}\n'), 100)).toBe('- \u{e9}\n');
  });

  test('takes so many bytes and no more', async () => {
    const file = newFile('x'.repeat(100));
    expect(await nodeFiles.read(file, 100)).toHaveLength(100);
    await expect(nodeFiles.read(file, 99)).rejects.toThrow(`${file} has more than 99 bytes`);
    await expect(nodeFiles.read('/dev/zero', 99)).rejects.toBeInstanceOf(FileError);
  });

  test('is refused for what is no text', async () => {
    const file = newFile('');
    writeFileSync(file, Buffer.from([0x2d, 0x20, 0xff]));
    await expect(nodeFiles.read(file, 100)).rejects.toThrow(`cannot read ${file}`);
  });

  test('says which file there is not', async () => {
    const file = path.join(temporaryFolder('files'), 'none');
    const failed = nodeFiles.read(file, 100);
    await expect(failed).rejects.toBeInstanceOf(FileError);
    await expect(failed).rejects.toThrow(file);
  });
});

describe('the version of a file', () => {
  test('stays where the file does', async () => {
    const file = newFile('one');
    expect(await nodeFiles.version(file)).toBe(await nodeFiles.version(file));
  });

  test.each<[string, (file: string) => void]>([
    ['written anew', (file) => writeFileSync(file, 'two')],
    ['written anew with the old time', (file) => (writeFileSync(file, 'two'), utimesSync(file, 1, 1))],
    ['added to', (file) => appendFileSync(file, 'two')],
    ['replaced', (file) => (writeFileSync(`${file}.new`, 'one'), renameSync(`${file}.new`, file))],
  ])('is another one when it is %s', async (_, change) => {
    const file = newFile('one');
    utimesSync(file, 1, 1);
    const before = await nodeFiles.version(file);
    change(file);
    expect(await nodeFiles.version(file)).not.toBe(before);
  });

  test('is that of the file at the end of links', async () => {
    const folder = temporaryFolder('files');
    for (const release of ['a', 'b']) {
      mkdirSync(path.join(folder, release));
      writeFileSync(path.join(folder, release, 'list.yaml'), release);
    }
    symlinkSync('a', path.join(folder, 'now'));
    const file = path.join(folder, 'now', 'list.yaml');
    const before = await nodeFiles.version(file);
    symlinkSync('b', path.join(folder, 'next'));
    renameSync(path.join(folder, 'next'), path.join(folder, 'now'));
    expect(await nodeFiles.version(file)).not.toBe(before);
  });

  test('is nothing that folders, pipes and devices have', async () => {
    const folder = temporaryFolder('files');
    execFileSync('mkfifo', [path.join(folder, 'pipe')]);
    for (const file of [folder, path.join(folder, 'pipe'), '/dev/zero']) {
      await expect(nodeFiles.version(file)).rejects.toThrow(`${file} is no file`);
    }
    await expect(nodeFiles.version(path.join(folder, 'none'))).rejects.toBeInstanceOf(FileError);
  });
});

async function heard(file: string, change: () => void): Promise<void> {
  let times = 0;
  const stop = nodeFiles.watch(file, () => times++);
  change();
  await until('the change is heard of', () => times > 0 || undefined);
  stop();
}

describe('watching', () => {
  test('hears of a file that is written, replaced or taken away', async () => {
    const file = newFile('one');
    await heard(file, () => writeFileSync(file, 'two'));
    writeFileSync(`${file}.new`, 'three');
    await heard(file, () => renameSync(`${file}.new`, file));
    await heard(file, () => rmSync(file));
    await heard(file, () => writeFileSync(file, 'four'));
  });

  test('does nothing where there is no folder, and ends without ado', () => {
    const stop = nodeFiles.watch('/no/such/folder/list.yaml', () => undefined);
    stop();
    stop();
  });
});
