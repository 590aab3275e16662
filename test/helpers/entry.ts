/** What tests run for `tftp-lb`: compiled once for all of them, since the sources cost each process twice the time to start. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import path from 'node:path';

const root = path.join(import.meta.dirname, '../..');
const variable = 'TFTPLB_TEST_ENTRY';

/** The file that Node runs. */
export const entry: string = process.env[variable] ?? path.join(root, 'src/cli.ts');

/** Compiles before the first test. Where that fails, as in a folder that is somebody else's, the sources are run. */
export function setup(): (() => void) | undefined {
  if (process.env[variable] !== undefined) return undefined;
  const compiler = path.join(root, 'node_modules/.bin/tsc');
  let folder: string;
  try {
    // As deep as src and dist: package.json is looked for from there.
    folder = mkdtempSync(path.join(root, '.build-'));
  } catch {
    return undefined;
  }
  const args = ['-p', 'tsconfig.build.json', '--outDir', folder, '--noCheck'];
  const { status } = spawnSync(compiler, args, { cwd: root, stdio: 'ignore' });
  if (status === 0) process.env[variable] = path.join(folder, 'cli.js');
  return () => {
    delete process.env[variable];
    rmSync(folder, { recursive: true, force: true });
  };
}
