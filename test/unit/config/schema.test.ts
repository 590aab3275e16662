import { describe, expect, it } from 'vitest';
import { optionGroups } from '../../../src/config/options.ts';
import { readOptions } from '../../../src/config/read-options.ts';
import { optionInfos } from '../../../src/config/schema.ts';

describe('every option', () => {
  it('has a flag and a variable of the same name, of its own', () => {
    const flags = optionInfos.map(({ flag }) => flag);
    expect(new Set(flags).size).toBe(flags.length);
    expect(optionInfos.find(({ key }) => key === 'maxSessionsPerClient')).toMatchObject({
      flag: '--max-sessions-per-client',
      variable: 'TFTP_LB_MAX_SESSIONS_PER_CLIENT',
    });
    for (const { flag, variable } of optionInfos) {
      expect(variable).toBe(`TFTP_LB_${flag.slice(2).replaceAll('-', '_').toUpperCase()}`);
    }
  });

  it('stands in one of the groups, and the options of a group stand together', () => {
    const order = optionInfos.map(({ group }) => optionGroups.indexOf(group));
    expect(order).toEqual([...order].sort((a, b) => a - b));
    expect(new Set(order).size).toBe(optionGroups.length);
  });

  it('is what it falls back to, said aloud', () => {
    const silent = readOptions({ vip: ['::'], backend: ['a'] });
    const said = optionInfos
      .filter(({ fallback }) => fallback !== '')
      .map(({ key, fallback }) => [key, fallback]);
    expect(said.length).toBeGreaterThan(15);
    expect(readOptions({ vip: ['::'], backend: ['a'], ...Object.fromEntries(said) })).toEqual(silent);
    expect(silent.kind).toBe('sound');
  });

  it('takes a value unless it is a switch, which can be turned off', () => {
    for (const { kind, placeholder, negatable, key } of optionInfos) {
      expect(placeholder === '', key).toBe(kind === 'switch');
      if (kind === 'switch') expect(negatable, key).toBe(true);
    }
  });
});

describe('readOptions', () => {
  it('takes numbers and booleans as well as their texts', () => {
    const given = { vip: ['::'], backend: ['a'] };
    expect(readOptions({ ...given, tryInterval: 2, maxSessions: 7, readOnly: true, admin: false })).toEqual(
      readOptions({ ...given, tryInterval: '2s', maxSessions: '7', readOnly: 'true', admin: 'false' }),
    );
  });
});
