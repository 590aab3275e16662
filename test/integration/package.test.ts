/** The package as users get it: packed, installed into an empty folder, run from there. */
import { cpSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createNodeNet } from '../../src/net/node-net.ts';
import { MemoryStore } from '../../src/tftp/memory-store.ts';
import { TftpServer } from '../../src/tftp/server.ts';
import { startBalancer } from '../helpers/balancer.ts';
import { cleanUp } from '../helpers/clean-up.ts';
import { noise, temporaryFolder } from '../helpers/folders.ts';
import { run, type Exit } from '../helpers/processes.ts';

const repository = path.join(import.meta.dirname, '../..');
const { version } = JSON.parse(readFileSync(path.join(repository, 'package.json'), 'utf8')) as {
  version: string;
};
/** What npm and the installed command find as `node`. */
const nodeFirst = { PATH: `${path.dirname(process.execPath)}:${process.env['PATH']}` };
const folder = temporaryFolder('package');
const command = { program: path.join(folder, 'node_modules/.bin/tftp-lb'), env: nodeFirst };

async function npm(cwd: string, ...args: readonly string[]): Promise<Exit> {
  const exit = await run({ program: 'npm', env: nodeFirst }, args, { cwd, timeout: 120_000 });
  if (exit.code !== 0) throw new Error(`npm ${args.join(' ')} failed:\n${exit.stdout}${exit.stderr}`);
  return exit;
}

/** A clean copy, so that nothing is shipped that an earlier build left behind, and nothing is left behind here. */
function copyRepository(): string {
  const copy = temporaryFolder('copy');
  const isSource = (file: string): boolean =>
    !/^(node_modules|dist|\..*)$/u.test(path.relative(repository, file));
  cpSync(repository, copy, { recursive: true, filter: (file) => file === repository || isSource(file) });
  symlinkSync(path.join(repository, 'node_modules'), path.join(copy, 'node_modules'));
  return copy;
}

beforeAll(async () => {
  await npm(copyRepository(), 'pack', '--silent', '--pack-destination', folder);
  const tarball = readdirSync(folder).find((file) => file.endsWith('.tgz'));
  writeFileSync(path.join(folder, 'package.json'), '{}');
  await npm(folder, 'install', '--no-audit', '--no-fund', '--prefer-offline', `./${tarball}`);
}, 240_000);

afterAll(cleanUp);

describe('the installed package', () => {
  test('has what runs and what is read, and nothing else', () => {
    const shipped = readdirSync(path.join(folder, 'node_modules/tftp-lb'));
    const expected = ['CHANGELOG.md', 'LICENSE', 'README.md', 'bin', 'dist', 'docs', 'package.json'];
    expect(new Set(shipped)).toEqual(new Set(expected));
  });

  test('tells its version', async () => {
    expect(await run(command, ['--version'])).toMatchObject({ code: 0, stdout: `${version}\n`, stderr: '' });
  });

  test('explains itself', async () => {
    const { code, stdout } = await run(command, ['--help']);
    expect(code).toBe(0);
    expect(stdout).toContain('--vip ADDR');
  });

  test('balances transfers over two servers', async () => {
    const content = noise(100_000);
    const net = createNodeNet();
    const servers = ['first', 'second'].map(
      () =>
        new TftpServer(net, {
          at: { address: '127.0.0.1', port: 0 },
          store: new MemoryStore({ image: content }),
        }),
    );
    const entry = path.join(folder, 'node_modules/tftp-lb/bin/tftp-lb.cjs');
    const balancer = await startBalancer(servers, { entry });
    const { address, port } = balancer.listener;
    for (const output of ['one', 'two']) {
      const args = ['get', `tftp://${address}:${port}/image`, '-o', output];
      expect(await run(command, args, { cwd: folder })).toMatchObject({ code: 0 });
      expect(readFileSync(path.join(folder, output))).toEqual(content);
    }
    await balancer.ended(2);
    expect(balancer.shares()).toEqual({ b0: 1, b1: 1 });
    for (const server of servers) server.close();
  });
});
