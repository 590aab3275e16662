import { spawnSync } from 'node:child_process';
import { copyFileSync, symlinkSync } from 'node:fs';
import path from 'node:path';

const root = path.join(import.meta.dirname, '../..');

/**
 * Compiles the balancer into `folder` as it is published, and returns its entry. From its sources it would run as
 * fast, but the compiler that Node keeps at hand for them would be counted as its memory. Throws where it does not
 * compile.
 */
export function buildBalancer(folder: string): string {
  const compiler = path.join(root, 'node_modules/typescript/bin/tsc');
  const output = path.join(folder, 'dist');
  const project = path.join(root, 'tsconfig.build.json');
  const args = [compiler, '--project', project, '--outDir', output, '--noCheck'];
  const { status, stdout } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`the balancer does not compile:\n${stdout}`);
  copyFileSync(path.join(root, 'package.json'), path.join(folder, 'package.json'));
  symlinkSync(path.join(root, 'node_modules'), path.join(folder, 'node_modules'));
  return path.join(output, 'cli.js');
}
