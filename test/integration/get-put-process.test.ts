/** get and put as processes: exit codes, signals, streams. */
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { encodeData } from '../../src/tftp/packet.ts';
import { Program, run, stopAll, until } from '../helpers/processes.ts';
import { boundSocket } from '../helpers/sockets.ts';
import { patterned } from '../unit/tftp/content.ts';
import { serve, temporaryFolder } from './get-put.ts';

afterAll(stopAll);

const node = { program: process.execPath, env: {} };
const cli = path.join(import.meta.dirname, '../../src/cli.ts');

describe('the process', () => {
  it('exits with 0 and one line, and puts the file where it was started', async () => {
    const { url } = serve({ 'a/f': patterned(5000) });
    const folder = temporaryFolder();
    const { code, stdout, stderr } = await run(node, [cli, 'get', url('a/f')], { cwd: folder });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/^read "a\/f" from .*\n$/);
    expect(readdirSync(folder)).toEqual(['f']);
  });

  it('exits with 1 and one line when the server refuses', async () => {
    const { url } = serve();
    const { code, stdout, stderr } = await run(node, [cli, 'get', url('f'), '-o', '-']);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(/^tftp-lb: 127\.0\.0\.1:\d+: the server sent ERROR 1 .*\n$/);
  });

  it.each([
    ['get', 'http://h/f'],
    ['get', 'tftp://h/f', '--blksize', '0'],
    ['put', 'f'],
  ])('exits with 2 and one line after wrong usage: %s %s %s %s', async (...args) => {
    const { code, stdout, stderr } = await run(node, [cli, ...args]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/^tftp-lb: .*\n$/);
  });

  it('leaves nothing behind when it is interrupted', async () => {
    const server = await boundSocket('127.0.0.1');
    server.on('message', (_, client) =>
      server.send(encodeData(1, patterned(512)), client.port, client.address),
    );
    const folder = temporaryFolder();
    const url = `tftp://127.0.0.1:${server.address().port}/f`;
    const program = new Program(node, [cli, 'get', url, '--trace'], { cwd: folder });
    await until('the first ACK', () => (program.stderr.includes('ACK block 1') ? true : undefined));
    expect(readdirSync(folder)).toHaveLength(1);
    program.signal('SIGINT');
    const { code, stderr } = await program.ended;
    server.close();
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /ERROR 0 "the transfer was aborted"\n.*tftp-lb: 127.0.0.1:\d+: the transfer was aborted\n$/s,
    );
    expect(readdirSync(folder)).toEqual([]);
  });

  it('copies standard input to standard output, over a server', async () => {
    const { url, files } = serve();
    const script = 'seq 20000 | "$0" "$1" put - "$2" >&2 && "$0" "$1" get "$2" -o -';
    const shell = { program: 'sh', env: {} };
    const { code, stdout } = await run(shell, ['-c', script, process.execPath, cli, url('f')]);
    expect(code).toBe(0);
    const numbers = Array.from({ length: 20_000 }, (_, i) => `${i + 1}\n`).join('');
    expect(stdout).toBe(numbers);
    expect(Buffer.from(files.get('f') ?? []).toString()).toBe(numbers);
  });
});
