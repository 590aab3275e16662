import { Command } from 'commander';
import { describe, it } from 'vitest';
import { addTransferOptions } from '../../../src/cli/transfer-options.ts';
import { type OptionInfo } from '../../../src/config/options.ts';
import { optionGroups } from '../../../src/config/option-table.ts';
import { optionInfos } from '../../../src/config/options.ts';
import { expectSection, table } from '../../helpers/doc-section.ts';

function rowOf({ flag, variable, kind, negatable, placeholder, fallback, text }: OptionInfo): string[] {
  const forms = [`${flag} ${placeholder}`.trimEnd(), ...(negatable ? [`--no-${flag.slice(2)}`] : [])];
  return [
    forms.map((form) => `\`${form}\``).join(', '),
    `\`${variable}\``,
    fallback === '' ? '' : `\`${fallback}\``,
    kind === 'list' ? `${text} (repeatable)` : text,
  ];
}

describe('docs/cli.md', () => {
  it('has the options as they are', () => {
    const sections = optionGroups.map((group) => {
      const rows = optionInfos.filter((info) => info.group === group).map(rowOf);
      return `### ${group}\n\n${table(['flag', 'variable', 'default', 'meaning'], rows)}`;
    });
    expectSection('cli.md', 'options', sections.join('\n'));
  });

  it('has those of get and put', () => {
    const { options } = addTransferOptions(new Command());
    const rows = options.map(({ flags, description, defaultValue, defaultValueDescription }) => [
      `\`${flags}\``,
      defaultValue === undefined ? '' : `\`${defaultValueDescription ?? defaultValue}\``,
      description,
    ]);
    expectSection('cli.md', 'transfers', table(['flag', 'default', 'meaning'], rows));
  });
});
