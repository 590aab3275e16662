/** What the C compiler of this host makes of the kernel's headers. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const headers = [
  'stddef.h',
  'stdio.h',
  'sys/types.h',
  'sys/socket.h',
  'sys/un.h',
  'sys/epoll.h',
  'sys/eventfd.h',
  'sys/syscall.h',
  'fcntl.h',
  'errno.h',
  'time.h',
  'netinet/in.h',
  'linux/errqueue.h',
  'linux/filter.h',
];

function sourceFor(expressions: readonly string[]): string {
  const includes = headers.map((header) => `#include <${header}>`);
  const lines = expressions.map((expression) => `  printf("%lld\\n", (long long)(${expression}));`);
  return ['#define _GNU_SOURCE', ...includes, 'int main(void) {', ...lines, '}', ''].join('\n');
}

/** Why there is no C compiler to ask, or undefined if there is one. */
export function missingCompiler(): string | undefined {
  if (process.platform !== 'linux') return 'the platform is not Linux';
  return spawnSync('cc', ['--version']).status === 0 ? undefined : 'no C compiler (cc)';
}

/** The values of integer expressions in C. Throws what the compiler says if it does not like one. */
export function valuesInC(expressions: readonly string[]): number[] {
  const folder = mkdtempSync(join(tmpdir(), 'tftp-lb-layout-'));
  try {
    const [source, program] = [join(folder, 'layout.c'), join(folder, 'layout')];
    writeFileSync(source, sourceFor(expressions));
    run('cc', ['-o', program, source]);
    return run(program, []).trim().split('\n').map(Number);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function run(command: string, parameters: readonly string[]): string {
  const { status, stdout, stderr, error } = spawnSync(command, parameters, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command}: ${error?.message ?? stderr}`);
  return stdout;
}
