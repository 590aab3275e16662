import { expect, test } from 'vitest';
import { type CommandEnd, type CommandLine, ExecProbe } from '../../../src/health/exec-probe.ts';
import { VirtualClock } from '../../../src/net/memory-clock.ts';

const backend = { name: 'one', address: '2001:db8::11', port: 69 };

/** One check with a command that ends so. */
async function check(
  args: readonly string[],
  end: CommandEnd,
): Promise<{ outcome: string; started: CommandLine[]; said: string[] }> {
  const clock = new VirtualClock();
  const started: CommandLine[] = [];
  const said: string[] = [];
  const probe = new ExecProbe(
    clock,
    (command) => {
      started.push(command);
      return { ended: Promise.resolve(end), kill: () => undefined };
    },
    {
      program: '/bin/check',
      args,
      timeout: 500,
      onOutput: ({ name }, line) => said.push(`${name}: ${line}`),
    },
  );
  const outcome = await clock.play(probe.check(backend, new AbortController().signal));
  return { outcome, started, said };
}

test('the command is told which backend it is about, in its arguments and its environment', async () => {
  const args = ['--to={address}', '{port}', '{name}{name}', '$BACKEND_NAME', '{else}'];
  const { started } = await check(args, { code: 0, firstLine: '' });
  expect(started).toEqual([
    {
      program: '/bin/check',
      args: ['--to=2001:db8::11', '69', 'oneone', '$BACKEND_NAME', '{else}'],
      environment: { BACKEND_NAME: 'one', BACKEND_ADDRESS: '2001:db8::11', BACKEND_PORT: '69' },
    },
  ]);
});

test.each([
  [0, 'alive'],
  [1, 'command-failed'],
  [255, 'command-failed'],
  [undefined, 'command-failed'],
] as const)('exit code %s: %s', async (code, outcome) => {
  expect((await check([], { code, firstLine: '' })).outcome).toBe(outcome);
});

test('what it says is passed on, with the backend', async () => {
  expect((await check([], { code: 1, firstLine: 'no answer' })).said).toEqual(['one: no answer']);
  expect((await check([], { code: 0, firstLine: '' })).said).toEqual([]);
});
