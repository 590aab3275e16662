import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

/** Milliseconds for three rounds on a busy machine, the balancer's compilation included. */
const patience = 120_000;

const works = (program: string, ...args: readonly string[]): boolean => spawnSync(program, args).status === 0;
/** Whether this process may make them, and has what it takes. */
const hasNamespaces =
  process.getuid?.() === 0 &&
  works('unshare', '--net', '--mount', 'true') &&
  works('ip', '-V') &&
  works('nft', '--version');

interface Results {
  readonly network: string;
  readonly throughput: readonly {
    readonly path: string;
    readonly name: string;
    readonly rounds: readonly { readonly units: number }[];
  }[];
}

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'tftp-lb-bench-test-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Runs the bench for moments on these paths. */
function run(only: readonly string[]): { pid: number; output: string; results: Results } {
  const file = path.join(folder, 'results.json');
  const args = ['tftp', `--only=${only.join()}`, '--loads=one-block', '--seconds=0.1', `--output=${file}`];
  const { pid, status, stdout, stderr } = spawnSync(process.execPath, ['bench/main.ts', ...args], {
    encoding: 'utf8',
    timeout: patience,
  });
  expect({ status, stderr }).toMatchObject({ status: 0 });
  return { pid, output: stdout, results: JSON.parse(readFileSync(file, 'utf8')) as Results };
}

function expectTransfers({ throughput }: Results, paths: readonly string[]): void {
  expect(throughput.map(({ path, name }) => `${name}: ${path}`)).toEqual(
    paths.map((path) => `one-block: ${path}`),
  );
  for (const { rounds } of throughput) {
    expect(rounds).toHaveLength(3);
    for (const { units } of rounds) expect(units).toBeGreaterThan(0);
  }
}

describe.skipIf(process.platform !== 'linux')('the bench', () => {
  test.skipIf(!hasNamespaces)(
    'compares with the kernel in namespaces, and removes them',
    { timeout: patience },
    () => {
      const paths = ['direct', 'kernel-nat', 'linux-ephemeral'];
      const { pid, results } = run(paths);
      expectTransfers(results, paths);
      expect(results.network).toContain('network namespaces');
      const { stdout } = spawnSync('ip', ['netns', 'list'], { encoding: 'utf8' });
      expect(stdout).not.toContain(`-${pid}-`);
    },
  );

  test.skipIf(hasNamespaces)(
    'does without the kernel where it has to, and says so',
    { timeout: patience },
    () => {
      const { results } = run(['direct', 'kernel-nat', 'linux-ephemeral']);
      expectTransfers(results, ['direct', 'linux-ephemeral']);
      expect(results.network).toContain('loopback');
    },
  );
});
