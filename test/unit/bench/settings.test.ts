import { describe, expect, test } from 'vitest';

import { helpText, readSettings, UsageError } from '../../../bench/settings.ts';
import { suites } from '../../../bench/suites/registry.ts';

test('without arguments the first suite runs as long as it takes', () => {
  expect(readSettings([])).toMatchObject({ suite: 'tftp', rounds: 3, quick: false });
});

test('a quick run counts for a shorter time, unless it is told otherwise', () => {
  const usual = readSettings([]);
  const quick = readSettings(['--quick']);
  expect(quick?.timing.window).toBeLessThan(usual?.timing.window ?? 0);
  expect(readSettings(['--quick', '--seconds', '2.5'])?.timing.window).toBe(2.5);
});

test('suite and options stand in any order', () => {
  expect(readSettings(['--rounds=5', 'ftp', '--output', 'a.json', '--profiles', 'here'])).toMatchObject({
    suite: 'ftp',
    rounds: 5,
    output: 'a.json',
    profiles: 'here',
  });
});

test('paths and loads are lists', () => {
  expect(readSettings([])).toMatchObject({ only: undefined, loads: undefined });
  expect(readSettings(['--only', 'direct, nginx', '--loads=64x1'])).toMatchObject({
    only: ['direct', 'nginx'],
    loads: ['64x1'],
  });
});

test.each([
  [['--only', 'direct,around'], 'no path is called "around"; there are direct, '],
  [['--loads', '3x3'], 'no load is called "3x3"; there are 1x1, '],
])('%j is refused before anything is started', async (args, message) => {
  const settings = readSettings(args);
  const run = async (): Promise<unknown> => settings && suites.get('tftp')?.run(settings, () => {});
  await expect(run()).rejects.toThrow(message);
});

describe('a command line that makes no sense is refused', () => {
  test.each([
    [['--rounds', '2'], '--rounds: expected a number from 3 to 100, not "2"'],
    [['--rounds', '3.5'], '--rounds: expected a number from 3 to 100, not "3.5"'],
    [['--rounds', 'many'], '--rounds: expected a number from 3 to 100, not "many"'],
    [['--seconds', '0'], '--seconds: expected a number from 0.1 to 60, not "0"'],
    [['--seconds='], '--seconds: expected a number from 0.1 to 60, not ""'],
    [['tftp', 'ftp'], 'one suite at a time'],
  ])('%j', (args, message) => {
    expect(() => readSettings(args)).toThrow(new UsageError(message));
  });

  test('an unknown option', () => {
    expect(() => readSettings(['--fast'])).toThrow(UsageError);
  });
});

const options = [
  '--only',
  '--loads',
  '--quick',
  '--rounds',
  '--seconds',
  '--urgent',
  '--output',
  '--from',
  '--docs',
  '--profiles',
] as const;

test('help is asked for, and names every suite and option', () => {
  expect(readSettings(['--rounds', '5', '--help'])).toBeUndefined();
  expect(readSettings(['-h'])).toBeUndefined();
  for (const word of [...suites.keys(), ...options]) expect(helpText).toContain(`  ${word}`);
});
