/** What docs/operations.md says of options and commands, compared with the code. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { ftpPolicies, tftpPolicies } from '../../../src/config/config.ts';
import { optionInfos } from '../../../src/config/options.ts';
import { readingVerbs, refusedVerbs, securityVerbs } from '../../../src/ftp/commands.ts';

const text = readFileSync(path.join(import.meta.dirname, '../../../docs/operations.md'), 'utf8');

function section(heading: string): string {
  const [, rest = ''] = text.split(`\n### ${heading}\n`);
  return rest.split('\n##', 1)[0] ?? '';
}

function rowsOf(heading: string): string[][] {
  const lines = section(heading).split('\n');
  return lines.filter((line) => line.startsWith('| ')).map((line) => line.split(' | ').map(plain));
}

function plain(cell: string): string {
  return cell.replaceAll(/[|`]/g, '').trim();
}

it('speaks of options that there are', () => {
  const ofOthers = ['--wait', '--url', '--token-file', '--host', '--unix-socket'];
  const known = [...optionInfos.flatMap(({ flag }) => [flag, flag.replace('--', '--no-')]), ...ofOthers];
  const named = new Set([...text.matchAll(/--[a-z][a-z0-9-]*/g)].map(([flag]) => flag));
  expect([...named].filter((flag) => !known.includes(flag))).toEqual([]);
});

it('explains every policy that can be chosen', () => {
  const [, , ...explained] = rowsOf('Policies').map(([name = '']) => name);
  expect(explained.toSorted()).toEqual([...new Set([...tftpPolicies, ...ftpPolicies])].toSorted());
});

it('gives every limit and time of FTP its default', () => {
  const bounding = optionInfos.filter(
    ({ key, placeholder }) => key.startsWith('ftp') && ['N', 'BYTES', 'DURATION'].includes(placeholder),
  );
  const documented = rowsOf('Limits and times').flatMap(([flag = '', fallback = '', why = '']) =>
    flag.startsWith('--ftp-') && why !== '' ? [`${flag} ${fallback}`] : [],
  );
  expect(documented.toSorted()).toEqual(
    bounding.map(({ flag, fallback }) => `${flag} ${fallback}`).toSorted(),
  );
});

it('names the commands that pass with --read-only', () => {
  const [, list = ''] = section('Read-only').split('\n```\n');
  const passing = [...readingVerbs].filter((verb) => !securityVerbs.has(verb));
  expect(list.split(/\s+/).toSorted()).toEqual(passing.toSorted());
});

it('names the commands that are always refused', () => {
  const refused = rowsOf('What is refused').flatMap(([commands = '', answer = '']) =>
    answer === '502' && !commands.includes('--') ? commands.split(', ') : [],
  );
  expect(refused.toSorted()).toEqual(['ADAT', ...refusedVerbs].toSorted());
});
