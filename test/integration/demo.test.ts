import { cpSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { cleanUp } from '../helpers/clean-up.ts';
import { temporaryFolder } from '../helpers/folders.ts';
import { run } from '../helpers/processes.ts';

const root = path.join(import.meta.dirname, '../..');
const node = { program: process.execPath, env: {} };

afterAll(cleanUp);

function rowsWith(stdout: string, pattern: RegExp): string[] {
  return stdout.split('\n').filter((line) => pattern.test(line));
}

function count(rows: readonly string[], text: string): number {
  return rows.filter((row) => row.includes(text)).length;
}

test('the demo moves files by TFTP and FTP over both servers and ends well', async () => {
  const { code, stdout, stderr } = await run(node, [path.join(root, 'src/cli.ts'), 'demo']);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });

  const tftp = rowsWith(stdout, / (read|write) +(alpha|beta) /);
  for (const row of tftp) expect(row).toMatch(/ ok, same SHA-256$/);
  expect([' read ', ' write ', ' alpha ', ' beta '].map((text) => count(tftp, text))).toEqual([
    20, 4, 12, 12,
  ]);
  expect(stdout).toContain('tftplb_sessions_ended_total{service="tftp",backend="alpha",result="ok"} 12');

  const ftp = rowsWith(stdout, / (RETR|STOR|NLST) +(alpha|beta) /);
  for (const row of ftp) expect(row).toMatch(/ ok, same SHA-256$/);
  expect([' alpha ', ' beta '].map((text) => count(ftp, text))).toEqual([6, 6]);
  for (const data of ['passive (PASV)', 'passive (EPSV)', 'active (PORT)', 'active (EPRT)']) {
    const own = ftp.filter((row) => row.includes(` ${data} `));
    expect([' RETR ', ' STOR ', ' NLST '].map((text) => count(own, text))).toEqual([1, 1, 1]);
  }
  expect(stdout).toContain('tftplb_ftp_transfers_total{service="ftp",direction="upload",result="ok"} 4');
  expect(stdout).toContain('All 36 transfers arrived');
});

/** The program and what it needs to run, without what is there for development alone. */
function installWithoutDevelopment(): string {
  const folder = temporaryFolder('installed');
  const { dependencies } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as {
    dependencies: Record<string, string>;
  };
  cpSync(path.join(root, 'src'), path.join(folder, 'src'), { recursive: true });
  cpSync(path.join(root, 'package.json'), path.join(folder, 'package.json'));
  mkdirSync(path.join(folder, 'node_modules'));
  for (const name of Object.keys(dependencies)) {
    symlinkSync(path.join(root, 'node_modules', name), path.join(folder, 'node_modules', name));
  }
  return folder;
}

test('without an FTP server to be had the demo says so in one line and shows TFTP', async () => {
  const folder = installWithoutDevelopment();
  const { code, stdout, stderr } = await run(node, [path.join(folder, 'src/cli.ts'), 'demo']);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(rowsWith(stdout, /ftp-srv/)).toEqual([
    expect.stringMatching(/^FTP is left out: .* not installed\.$/),
  ]);
  expect(rowsWith(stdout, / (RETR|STOR|NLST) /)).toEqual([]);
  expect(stdout).toContain('All 24 transfers arrived');
});
