import { afterEach, expect, it } from 'vitest';
import { Program, stopAll, until } from '../../helpers/processes.ts';

const log = new URL('../../../src/observe/log.ts', import.meta.url).href;

afterEach(stopAll);

function start(script: string, env: Readonly<Record<string, string>> = {}): Program {
  const imports = `import { pbkdf2 } from 'node:crypto'; import { createLogger } from '${log}';`;
  const args = [
    '--input-type=module-typescript',
    '--eval',
    `${imports} const log = createLogger('info'); ${script}`,
  ];
  return new Program({ program: process.execPath, env }, args);
}

function messagesOf({ stdout }: { readonly stdout: string }): string[] {
  const lines = stdout.split('\n').slice(0, -1);
  return lines.map((line) => (JSON.parse(line) as { msg: string }).msg);
}

it('writes a line that came while another one left, without a further line', async () => {
  // The only thread that writes has other work first.
  const script = `
    setInterval(() => {}, 60_000);
    pbkdf2('', '', 300_000, 8, 'sha256', () => {});
    log.info('one');
    setTimeout(() => log.info('two'), 5);`;
  const program = start(script, { UV_THREADPOOL_SIZE: '1' });
  await until('both have left', () => messagesOf(program).length === 2 || undefined);
  expect(messagesOf(program)).toEqual(['one', 'two']);
});

it('writes all lines of an end that comes at once', async () => {
  const program = start('for (let line = 0; line < 1_000; line++) log.info(String(line)); process.exit();');
  const exit = await program.ended;
  expect(messagesOf(exit)).toEqual(Array.from({ length: 1_000 }, (_, line) => String(line)));
});

it('writes many lines over many turns, each once and in order', async () => {
  const script = `
    let line = 0;
    const some = () => {
      for (let more = 0; more < 50; more++) log.info(String(line++));
      if (line < 5_000) setImmediate(some);
    };
    some();`;
  const exit = await start(script).ended;
  expect(messagesOf(exit)).toEqual(Array.from({ length: 5_000 }, (_, line) => String(line)));
});
