/** The first file that an installed `tftp-lb` runs: it must say what is wrong to a Node that is too old for the rest. */
import { execFileSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { cleanUp } from '../helpers/clean-up.ts';
import { temporaryFolder } from '../helpers/folders.ts';
import { run, type Exit } from '../helpers/processes.ts';

const launcher = path.join(import.meta.dirname, '../../bin/tftp-lb.cjs');
const refusal = (version: string): object => ({
  code: 2,
  stdout: '',
  stderr: `tftp-lb: needs Node.js 24.12 or newer, but this is ${version}\n`,
});

afterAll(cleanUp);

/** Runs the launcher with a Node that claims to be of `version`. */
function launch(version: string): Promise<Exit> {
  const preload = path.join(temporaryFolder('preload'), 'preload.cjs');
  const versions = `{ value: { ...process.versions, node: ${JSON.stringify(version)} } }`;
  writeFileSync(preload, `Object.defineProperty(process, 'versions', ${versions});\n`);
  return run({ program: process.execPath, env: {} }, ['--require', preload, launcher, '--version']);
}

describe('the launcher', () => {
  test.each(['0.12.18', '8.17.0', '20.20.2', '23.99.9', '24.0.0', '24.11.9'])(
    'turns %s away',
    async (version) => {
      expect(await launch(version)).toMatchObject(refusal(version));
    },
  );

  test.each(['24.12.0', '24.99.1', '25.0.0', '100.0.0'])('lets %s pass', async (version) => {
    expect(await launch(version)).toMatchObject({ code: 0, stderr: '' });
  });
});

/** A real Node of another major version, as many systems have it. */
function findOldNode(): { program: string; version: string } | undefined {
  const folders = [...(process.env['PATH'] ?? '').split(':'), '/usr/bin', '/usr/local/bin'];
  const programs = folders
    .map((folder) => path.join(folder, 'node'))
    .filter((program) => existsSync(program));
  const versions = programs.map((program) => ({
    program,
    version: execFileSync(program, ['--version'], { encoding: 'utf8' }).trim().slice(1),
  }));
  return versions.find(({ version }) => Number.parseInt(version, 10) < 24);
}

const old = findOldNode();

describe.skipIf(old === undefined)(`a real Node ${old?.version ?? 'older than 24 (none is here)'}`, () => {
  test('reads the launcher and is turned away', async () => {
    const { program = '', version = '' } = old ?? {};
    expect(await run({ program, env: {} }, [launcher, '--version'])).toMatchObject(refusal(version));
  });
});
