/** The tables of flags and their tests: one file for each group of options. */
import { describe, expect, test } from 'vitest';
import type { OptionKey } from '../../src/config/options.ts';
import type { OptionGroup } from '../../src/config/option-table.ts';
import { optionInfos } from '../../src/config/options.ts';

/** What declares the tests of a flag, by option. */
export type FlagTests = Readonly<Partial<Record<OptionKey, () => void>>>;

/** Declares the tests of the options of one group, and that none of its options goes without. */
export function describeFlags(group: OptionGroup, tests: FlagTests): void {
  const infos = optionInfos.filter((info) => info.group === group);
  test(`every option of the group ${group} has tests`, () => {
    expect(Object.keys(tests).toSorted()).toEqual(infos.map(({ key }) => key).toSorted());
  });
  for (const { key, flag } of infos) describe(flag, () => tests[key]?.());
}
