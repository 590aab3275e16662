import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { FolderStore } from '../../src/cli/transfer-store.ts';
import { serve, temporaryFolder, tftpLb } from './get-put.ts';
import { patterned } from '../unit/tftp/content.ts';

const content = Buffer.from(patterned(3000));

/** A folder `root` with a file, a folder, and links that lead inside and outside; and what stands beside it. */
function folders(): { root: string; outside: string } {
  const base = temporaryFolder();
  const root = path.join(base, 'root');
  const outside = path.join(base, 'root-outside');
  for (const folder of [root, outside, path.join(root, 'sub')]) mkdirSync(folder);
  writeFileSync(path.join(root, 'f'), content);
  writeFileSync(path.join(root, 'sub', 'g'), content);
  writeFileSync(path.join(outside, 'secret'), 'secret');
  symlinkSync('sub/g', path.join(root, 'link-inside'));
  symlinkSync('../root-outside/secret', path.join(root, 'link-outside'));
  symlinkSync('../root-outside', path.join(root, 'folder-outside'));
  return { root, outside };
}

const answers = (answer: number): unknown => expect.objectContaining({ code: 'TLB_ERR_TFTP_STORE', answer });

describe('FolderStore', () => {
  it.each(['f', 'sub/g', './f', 'sub//g', 'link-inside'])('reads %s', (name) => {
    const file = new FolderStore(folders().root).openRead(name);
    const into = new Uint8Array(1000);
    expect(file.size).toBe(3000);
    expect(file.read(2500, into)).toBe(500);
    expect(Buffer.from(into.subarray(0, 500))).toEqual(content.subarray(2500));
    file.close();
  });

  it.each([
    ['none', 1],
    ['f/g', 1],
    ['n'.repeat(300), 1],
    ['sub', 2],
    ['.', 2],
    ['../root/f', 2],
    ['sub/../f', 2],
    ['..', 2],
    ['/etc/passwd', 2],
    ['link-outside', 2],
    ['folder-outside/secret', 2],
    ['pipe', 2],
  ])('refuses to read %s with ERROR %i', (name, answer) => {
    const { root } = folders();
    execFileSync('mkfifo', [path.join(root, 'pipe')]);
    expect(() => new FolderStore(root).openRead(name)).toThrow(answers(answer));
  });

  it.each([
    ['f', 6],
    ['none/f', 1],
    ['../f', 2],
    ['/tmp/f', 2],
    ['sub/', 2],
    ['folder-outside/new', 2],
    ['link-outside', 6],
  ])('refuses to write %s with ERROR %i', (name, answer) => {
    const { root, outside } = folders();
    expect(() => new FolderStore(root).openWrite(name)).toThrow(answers(answer));
    expect(readdirSync(outside)).toEqual(['secret']);
  });

  it('lets an upload have its name when it is complete', () => {
    const { root } = folders();
    const upload = new FolderStore(root).openWrite('sub/new');
    upload.write(content.subarray(0, 1000));
    upload.write(content.subarray(1000));
    expect(readdirSync(path.join(root, 'sub'))).not.toContain('new');
    upload.end();
    expect(readFileSync(path.join(root, 'sub', 'new'))).toEqual(content);
    upload.discard();
    expect(readdirSync(path.join(root, 'sub')).sort()).toEqual(['g', 'new']);
  });

  it('leaves nothing of an upload that is discarded', () => {
    const { root } = folders();
    const upload = new FolderStore(root).openWrite('sub/new');
    upload.write(content);
    upload.discard();
    upload.discard();
    expect(readdirSync(path.join(root, 'sub'))).toEqual(['g']);
  });

  it('does not overwrite what came in the meantime', () => {
    const { root } = folders();
    const upload = new FolderStore(root).openWrite('new');
    writeFileSync(path.join(root, 'new'), 'first');
    expect(() => upload.end()).toThrow(answers(6));
    upload.discard();
    expect(readFileSync(path.join(root, 'new'), 'utf8')).toBe('first');
    expect(readdirSync(root).filter((name) => name.endsWith('.part'))).toEqual([]);
  });

  it('replaces files where that is allowed, and links instead of what they point to', () => {
    const { root, outside } = folders();
    const store = new FolderStore(root, { overwrite: true });
    for (const name of ['f', 'link-outside']) {
      const upload = store.openWrite(name);
      upload.write(Buffer.from('new'));
      upload.end();
      expect(readFileSync(path.join(root, name), 'utf8')).toBe('new');
    }
    expect(readFileSync(path.join(outside, 'secret'), 'utf8')).toBe('secret');
    expect(() => store.openWrite('sub')).toThrow(answers(2));
  });

  it('has names that are not UTF-8', () => {
    const { root } = folders();
    const store = new FolderStore(root);
    const upload = store.openWrite('\xff\xfe');
    upload.end();
    expect(readdirSync(root, 'buffer').map((name) => name.toString('latin1'))).toContain('\xff\xfe');
    const file = store.openRead('\xff\xfe');
    expect(file.size).toBe(0);
    file.close();
  });
});

describe('a server with a folder', () => {
  it('gives back what was put', async () => {
    const { root } = folders();
    const { url } = serve({}, { store: new FolderStore(root) });
    const local = path.join(temporaryFolder(), 'local');
    writeFileSync(local, content);
    const put = await tftpLb(['put', local, url('sub/new'), '--windowsize', '4']);
    expect(put.error).toBeUndefined();
    const get = await tftpLb(['get', url('sub/new'), '-o', '-', '--mode', 'netascii']);
    expect(get.stdout).toEqual(content);
  });

  it('tells its clients nothing about its paths', async () => {
    const { root } = folders();
    const { url } = serve({}, { store: new FolderStore(root) });
    for (const name of ['none', 'sub', '../x', 'none/x']) {
      const { error } = await tftpLb(['put', '/dev/null', url(name)]);
      expect(String(error)).not.toContain(root);
    }
  });
});
