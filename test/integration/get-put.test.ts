import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { Readable, Writable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { CliError } from '../../src/cli/context.ts';
import { type Net, NetError } from '../../src/net/net.ts';
import { createNodeNet } from '../../src/net/node-net.ts';
import { serve, temporaryFolder, tftpLb } from './get-put.ts';
import { patterned } from '../unit/tftp/content.ts';

const content = patterned(70_000);

describe('tftp-lb get', () => {
  it('reads a file into a folder and says what it did', async () => {
    const { url } = serve({ 'a/f.bin': content });
    const out = path.join(temporaryFolder(), 'out');
    const { error, stdout, stderr } = await tftpLb(['get', url('a/f.bin'), '-o', out]);
    expect(error).toBeUndefined();
    expect(readFileSync(out)).toEqual(Buffer.from(content));
    expect(readdirSync(path.dirname(out))).toEqual(['out']);
    expect(stdout.toString()).toMatch(
      /^read "a\/f\.bin" from 127\.0\.0\.1:\d+: 70000 bytes in \d+\.\d{3} s \(.*B\/s\), 137 blocks, \d+ repeats, granted tsize=70000\n$/,
    );
    expect(stderr).toBe('');
  });

  it('asks for what the flags say', async () => {
    const { url } = serve({ f: content });
    const flags = ['--blksize', '1428', '--windowsize', '8', '--timeout', '2', '--no-tsize'];
    const { stdout } = await tftpLb(['get', url('f'), '-o', '-', ...flags, '--trace']);
    expect(stdout).toEqual(Buffer.from(content));
    const traced = await tftpLb(['get', url('f'), '-o', '-', ...flags, '--trace']);
    expect(traced.stderr).toContain('RRQ "f" octet blksize=1428 timeout=2 windowsize=8\n');
    expect(traced.stderr).toContain('OACK blksize=1428 timeout=2 windowsize=8\n');
    expect(traced.stderr).toContain('50 blocks, ');
  });

  it('traces every packet with its block and size', async () => {
    const { url, server } = serve({ f: patterned(600) });
    const { stderr } = await tftpLb(['get', url('f'), '-o', '-', '--trace', '--no-tsize']);
    const lines = stderr.split('\n').map((line) => line.replace(/^ *\d+\.\d{6} /, '').replace(/:\d+ /, ' '));
    expect(stderr).toContain(`sent to       127.0.0.1:${server.port} RRQ`);
    expect(lines.slice(0, 5)).toEqual([
      'sent to       127.0.0.1 RRQ "f" octet',
      'received from 127.0.0.1 DATA block 1, 512 bytes',
      'sent to       127.0.0.1 ACK block 1',
      'received from 127.0.0.1 DATA block 2, 88 bytes',
      'sent to       127.0.0.1 ACK block 2',
    ]);
  });

  it('writes to standard output no faster than it is read', async () => {
    const { url } = serve({ f: content });
    const chunks: Buffer[] = [];
    const state = { pending: 0, most: 0 };
    const slow = new Writable({
      highWaterMark: 2000,
      write: (chunk: Buffer, _, done) => {
        chunks.push(Buffer.from(chunk));
        state.most = Math.max(state.most, slow.writableLength);
        setImmediate(done);
      },
    });
    const { error, stderr } = await tftpLb(['get', url('f'), '-o', '-', '--windowsize', '4'], {
      stdout: slow,
    });
    expect(error).toBeUndefined();
    expect(Buffer.concat(chunks)).toEqual(Buffer.from(content));
    expect(state.most).toBeLessThan(2000 + 5 * 512);
    expect(stderr).toMatch(/^read "f" from /);
  });

  it('ends when standard output breaks', async () => {
    const { url } = serve({ f: content });
    const broken = new Writable({ write: (_, __, done) => done(new Error('EPIPE: broken pipe')) });
    const { error } = await tftpLb(['get', url('f'), '-o', '-'], { stdout: broken });
    expect(error).toMatchObject({ exitCode: 1, message: expect.stringContaining('broken pipe') });
  });

  it('translates netascii', async () => {
    const { url } = serve({ f: Buffer.from('a\nb\rc\n') });
    const { stdout, stderr } = await tftpLb(['get', url('f;mode=netascii'), '-o', '-', '--trace']);
    expect(stdout.toString()).toBe('a\nb\rc\n');
    expect(stderr).toContain('RRQ "f" netascii\n');
  });

  it('warns of mail mode and shows what the server says to it', async () => {
    const { url } = serve({ f: content });
    const { error, stderr } = await tftpLb(['get', url('f'), '-o', '-', '--mode', 'mail']);
    expect(stderr).toBe(
      'tftp-lb: warning: mail mode is for writing alone, and a server should refuse this\n',
    );
    expect(error).toMatchObject({
      exitCode: 1,
      message: expect.stringMatching(
        /the server sent ERROR 4 \(illegal operation\): "mail mode is not served"$/,
      ),
    });
  });

  it('keeps a link and the permissions of the file it replaces', async () => {
    const { url } = serve({ f: content });
    const folder = temporaryFolder();
    const file = path.join(folder, 'file');
    const link = path.join(folder, 'link');
    writeFileSync(file, 'old', { mode: 0o600 });
    symlinkSync(file, link);
    await tftpLb(['get', url('f'), '-o', link]);
    expect(readFileSync(file)).toEqual(Buffer.from(content));
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readdirSync(folder).sort()).toEqual(['file', 'link']);
  });

  it('writes into a device without replacing it', async () => {
    const { url } = serve({ f: content });
    const { error } = await tftpLb(['get', url('f'), '-o', '/dev/null']);
    expect(error).toBeUndefined();
    expect(statSync('/dev/null').isCharacterDevice()).toBe(true);
  });

  it('sends names as bytes', async () => {
    const { url } = serve({ 'caf\xc3\xa9 \xff': patterned(3) });
    const { stdout } = await tftpLb(['get', url('café%20%FF'), '-o', '-']);
    expect(stdout).toEqual(Buffer.from(patterned(3)));
  });

  it('draws a bar on a terminal and takes it away', async () => {
    const { url } = serve({ f: content });
    const slow = new Writable({ highWaterMark: 1, write: (_, __, done) => void setTimeout(done, 2) });
    const { stderr } = await tftpLb(['get', url('f'), '-o', '-'], { isTTY: true, stdout: slow });
    const frames = stderr.split('\r').map((frame) => frame.replace('\u001B[K', ''));
    expect(frames[1]).toMatch(/^\[#+ *\] {2}\d+ % {2}[\d.]+ kB {2}[\d.]+ kB\/s$/);
    expect(frames.at(-1)).toMatch(/^read "f" from .*\n$/);
  });
});

describe('a get that fails', () => {
  it('names the ERROR of the server and leaves nothing', async () => {
    const folder = temporaryFolder();
    const { url } = serve({ f: content });
    const { error } = await tftpLb(['get', url('other'), '-o', path.join(folder, 'out')]);
    expect(error).toBeInstanceOf(CliError);
    expect(error).toMatchObject({
      exitCode: 1,
      message: expect.stringMatching(
        /^127\.0\.0\.1:\d+: the server sent ERROR 1 \(file not found\): "no such file"$/,
      ),
    });
    expect(readdirSync(folder)).toEqual([]);
  });

  it('says that nobody listens', async () => {
    const { server, url } = serve();
    server.close();
    const { error } = await tftpLb(['get', url('f'), '-o', '-']);
    expect(error).toMatchObject({
      exitCode: 1,
      message: `127.0.0.1:${server.port}: refused: no TFTP server listens there`,
    });
  });

  it('tries the next address of a name where nobody listens on the first', async () => {
    const { server } = serve({ f: content });
    const net: Net = { ...createNodeNet(), lookup: async () => ['127.0.0.9', '127.0.0.1'] };
    const url = `tftp://both.example:${server.port}/f`;
    const { error, stdout } = await tftpLb(['get', url, '-o', '-'], { net });
    expect(error).toBeUndefined();
    expect(stdout).toEqual(Buffer.from(content));
    server.close();
    const second = await tftpLb(['get', url, '-o', '-'], { net });
    expect(second.error).toMatchObject({ message: expect.stringMatching(/^127\.0\.0\.9:.*; 127\.0\.0\.1:/) });
  });

  it('asks no other address once a server has answered', async () => {
    const refusing = serve({}, { address: '127.0.0.9' });
    const net: Net = { ...createNodeNet(), lookup: async () => ['127.0.0.9', '127.0.0.1'] };
    const url = `tftp://both.example:${refusing.server.port}/f`;
    const { error } = await tftpLb(['get', url, '-o', '-'], { net });
    expect(error).toMatchObject({
      message: expect.stringMatching(/^127\.0\.0\.9:\d+: the server sent ERROR 1/),
    });
  });

  it('says that a name is unknown', async () => {
    const net: Net = {
      ...createNodeNet(),
      lookup: async () => {
        throw new NetError('TLB_ERR_UNKNOWN_HOST', 'cannot find the host "no.example"');
      },
    };
    const { error } = await tftpLb(['get', 'tftp://no.example/f', '-o', '-'], { net });
    expect(error).toMatchObject({ exitCode: 1, message: 'cannot find the host "no.example"' });
  });

  it('leaves nothing when it is interrupted, and keeps what was there before', async () => {
    const folder = temporaryFolder();
    const out = path.join(folder, 'out');
    writeFileSync(out, 'old');
    const stop = new AbortController();
    const { url } = serve({ f: content }, { trace: (_, packet) => packet[3] === 50 && stop.abort() });
    const { error } = await tftpLb(['get', url('f'), '-o', out], { signal: stop.signal });
    expect(error).toMatchObject({ exitCode: 1, message: expect.stringContaining('aborted') });
    expect(readdirSync(folder)).toEqual(['out']);
    expect(readFileSync(out, 'utf8')).toBe('old');
  });

  it.each([
    [['get', 'http://h/f'], /not of the form/],
    [['get', 'tftp://h/'], /names no file/],
    [['get', 'tftp://h/folder/'], /gives no name/],
    [['get', 'tftp://h/f%2'], /hexadecimal/],
    [['put', '-', 'tftp://h:0/f'], /port 0/],
    [['get', 'tftp://h/f', '--blksize', '7'], /whole number from 8 to 65464/],
    [['get', 'tftp://h/f', '--windowsize', 'x'], /whole number from 1 to 65535/],
    [['get', 'tftp://h/f', '--timeout', '0'], /whole number from 1 to 255/],
    [['get', 'tftp://h/f', '--mode', 'ascii'], /Allowed choices/],
    [['get'], /missing required argument/],
  ])('refuses %j as wrong usage', async (args, message) => {
    const { error } = await tftpLb(args);
    expect(error).toMatchObject({ message: expect.stringMatching(message) });
    if (error instanceof CliError) expect(error.exitCode).toBe(2);
    else expect(error).toMatchObject({ code: expect.stringMatching(/^commander\./) });
  });

  it.each([
    ['a folder that is not there', 'none/out', /ENOENT/],
    ['a folder in place of a file', '.', /EISDIR/],
  ])('says that it cannot write to %s', async (_, name, reason) => {
    const { url } = serve({ f: content });
    const { error } = await tftpLb(['get', url('f'), '-o', path.join(temporaryFolder(), name)]);
    expect(error).toMatchObject({ exitCode: 1, message: expect.stringMatching(reason) });
  });
});

describe('tftp-lb put', () => {
  it('writes a file, announces its size and says what it did', async () => {
    const { url, files } = serve();
    const file = path.join(temporaryFolder(), 'file');
    writeFileSync(file, content);
    const { error, stdout, stderr } = await tftpLb(['put', file, url('new'), '--blksize', '1024', '--trace']);
    expect(error).toBeUndefined();
    expect(files.get('new')).toEqual(content);
    expect(stderr).toContain('WRQ "new" octet tsize=70000 blksize=1024\n');
    expect(stdout.toString()).toMatch(
      /^wrote "new" to 127\.0\.0\.1:\d+: 70000 bytes in .*, 69 blocks, \d+ repeats, granted tsize=70000 blksize=1024\n$/,
    );
  });

  it.each([0, 1, 511, 512, 513, 5000])('writes %i bytes from standard input', async (size) => {
    const { url, files } = serve();
    const bytes = Buffer.from(patterned(size));
    const parts = [bytes.subarray(0, 100), bytes.subarray(100, 700), bytes.subarray(700)];
    const stdin = Readable.from(
      parts.filter((part) => part.length > 0),
      { objectMode: false },
    );
    const { error, stderr } = await tftpLb(['put', '-', url('new'), '--windowsize', '4', '--trace'], {
      stdin,
    });
    expect(error).toBeUndefined();
    expect(files.get('new')).toEqual(patterned(size));
    expect(stderr).toContain('WRQ "new" octet windowsize=4\n');
    expect(stdin.destroyed).toBe(true);
  });

  it('translates netascii', async () => {
    const { url, files } = serve();
    const stdin = Readable.from([Buffer.from('a\nb\rc\n'.repeat(300))], { objectMode: false });
    const { stdout } = await tftpLb(['put', '-', url('new'), '--mode', 'netascii'], { stdin });
    expect(Buffer.from(files.get('new') ?? []).toString()).toBe('a\nb\rc\n'.repeat(300));
    expect(stdout.toString()).toContain(`: ${9 * 300} bytes in `);
  });

  it.each([
    ['a file that is not there', 'none', /ENOENT/],
    ['a folder', '.', /not a file/],
  ])('fails on %s', async (_, name, reason) => {
    const { error } = await tftpLb(['put', path.join(temporaryFolder(), name), 'tftp://127.0.0.1/f']);
    expect(error).toMatchObject({ exitCode: 1, message: expect.stringMatching(reason) });
  });

  it('reads a pipe', async () => {
    const { url, files } = serve();
    const pipe = path.join(temporaryFolder(), 'pipe');
    execFileSync('mkfifo', [pipe]);
    const [{ error }] = await Promise.all([tftpLb(['put', pipe, url('new')]), writeFile(pipe, content)]);
    expect(error).toBeUndefined();
    expect(files.get('new')).toEqual(content);
  });

  it('fails when its input breaks, and tells the server', async () => {
    const { url, files } = serve();
    const stdin = new Readable({
      read() {
        this.push(Buffer.alloc(600));
        this.destroy(new Error('the disk is gone'));
      },
    });
    const { error } = await tftpLb(['put', '-', url('new')], { stdin });
    expect(error).toMatchObject({ exitCode: 1, message: expect.stringContaining('the disk is gone') });
    expect(files.size).toBe(0);
  });
});
