import { describe, expect, it } from 'vitest';
import { examples } from '../../../src/cli/help.ts';
import { optionGroups } from '../../../src/config/option-table.ts';
import { optionInfos } from '../../../src/config/options.ts';
import { command } from './scene.ts';

describe('the help', () => {
  it.each([[['--help']], [['serve', '--help']], [['help', 'serve']]])(
    'of %j shows every option in its group',
    async (args) => {
      const { stdout, exitCode } = await command(args);
      expect(exitCode).toBe(0);
      const headings = optionGroups.map((group) => stdout.indexOf(`\n${group}:\n`));
      expect(headings.every((at) => at > 0)).toBe(true);
      expect(headings).toEqual([...headings].sort((a, b) => a - b));
      for (const { flag, group, placeholder } of optionInfos) {
        const line = stdout.indexOf(placeholder === '' ? `${flag.slice(2)} ` : `\n  ${flag} ${placeholder} `);
        expect(line, flag).toBeGreaterThan(headings[optionGroups.indexOf(group)] ?? Infinity);
      }
    },
  );

  it('fits a terminal, examples apart', async () => {
    const { stdout } = await command(['--help']);
    const text = stdout.slice(0, stdout.indexOf('Examples:'));
    expect(text.split('\n').filter((line) => line.length > 80)).toEqual([]);
  });

  it('shows commands, defaults and three examples that work', async () => {
    const { stdout } = await command(['--help']);
    expect(stdout).toMatch(/^ {2}check /m);
    expect(stdout).toContain('(default: 5000)');
    expect(examples).toHaveLength(3);
    for (const { command: line, text } of examples) {
      expect(stdout).toContain(`${line}\n      ${text}\n`);
      const [program, ...words] = line.split(' ');
      const { failures } = await command(['check', ...words.filter((word) => word !== 'check')]);
      expect([program, failures]).toEqual(['tftp-lb', []]);
    }
  });

  it('is short for check', async () => {
    const { stdout } = await command(['check', '--help']);
    expect(stdout).toContain('Usage: tftp-lb check');
    expect(stdout).toContain('--print');
    expect(stdout).not.toContain('Examples:');
  });
});

describe('the version', () => {
  it('is printed', async () => {
    expect(await command(['--version'])).toMatchObject({ stdout: '1.2.3\n', exitCode: 0 });
  });
});
