/** Commands as real processes. */
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { startCommand } from '../../../src/app/commands.ts';
import { temporaryFolder } from '../../helpers/folders.ts';
import { until } from '../../helpers/processes.ts';

const folder = temporaryFolder('commands');

/** A script, as a program. */
function script(name: string, text: string): string {
  const file = path.join(folder, name);
  writeFileSync(file, `#!/bin/sh\n${text}\n`);
  chmodSync(file, 0o755);
  return file;
}

const run = (program: string, args: readonly string[] = [], environment: Record<string, string> = {}) =>
  startCommand({ program, args, environment });

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

describe('a command', () => {
  test.each([0, 1, 77])('ends with its exit code %i', async (code) => {
    expect(await run(script('exits', 'exit $1'), [String(code)]).ended).toEqual({ code, firstLine: '' });
  });

  test('has its arguments as they are, without a shell', async () => {
    const args = ['a b', '$HOME', '*', ';exit'];
    const { ended } = run(script('echoes', 'printf "%s," "$@"'), args);
    expect((await ended).firstLine).toBe('a b,$HOME,*,;exit,');
  });

  test('finds PATH and what it is given in its environment, and nothing else', async () => {
    process.env['SECRET_OF_THE_TEST'] = 'secret';
    const names = script('names', 'env > "$BACKEND_NAME"');
    const file = path.join(folder, 'environment');
    await run(names, [], { BACKEND_NAME: file }).ended;
    delete process.env['SECRET_OF_THE_TEST'];
    const found = readFileSync(file, 'utf8');
    expect(found).toContain(`PATH=${process.env['PATH']}\n`);
    expect(found).not.toContain('secret');
  });

  test.each([
    ['on standard output', 'echo first; echo second', 'first'],
    ['on standard error', 'echo first >&2', 'first'],
    ['without a line break', 'printf first', 'first'],
    ['with a carriage return', String.raw`printf 'first\r\n'`, 'first'],
    ['in parts', 'printf fi; sleep 0.05; echo rst', 'first'],
  ])('is heard %s', async (_how, text, line) => {
    expect((await run(script('says', text)).ended).firstLine).toBe(line);
  });

  test('may say as much as it likes, of which a bounded part is kept', async () => {
    const { firstLine } = await run(script('babbles', 'head -c 1000000 /dev/zero | tr "\\0" x')).ended;
    expect(firstLine).toBe('x'.repeat(512));
  });

  test('that leaves something running which holds its output is over all the same', async () => {
    const file = path.join(folder, 'left');
    const left = script('leaves', `sleep 30 & echo $! > ${file}; echo done`);
    expect(await run(left).ended).toEqual({ code: 0, firstLine: 'done' });
    process.kill(Number(readFileSync(file, 'utf8')), 'SIGKILL');
  });

  test.each([['/no/such/program'], [folder]])('%s cannot be started', async (program) => {
    await expect(run(program).ended).rejects.toThrow(/ENOENT|EACCES/);
  });
});

describe('a command that is killed', () => {
  test('is gone with all that it has started', async () => {
    const file = path.join(folder, 'child');
    const command = run(script('waits', `sleep 30 & echo $! > ${file}; wait`));
    const child = await until('it has a child', () =>
      existsSync(file) ? Number(readFileSync(file, 'utf8')) || undefined : undefined,
    );
    expect(isRunning(child)).toBe(true);
    command.kill();
    expect(await command.ended).toEqual({ code: undefined, firstLine: '' });
    await until('the child is gone', () => !isRunning(child) || undefined);
  });

  test('a second time, or behind its end, stays what it is', async () => {
    const command = run(script('ends', 'exit 4'));
    expect(await command.ended).toMatchObject({ code: 4 });
    command.kill();
    command.kill();
    const missing = run('/no/such/program');
    missing.kill();
    await expect(missing.ended).rejects.toThrow('ENOENT');
  });
});
