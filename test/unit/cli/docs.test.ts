import { Command } from 'commander';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { addTransferOptions } from '../../../src/cli/transfer-options.ts';
import { findingKinds } from '../../../src/config/findings.ts';
import { jsonSchema, type SchemaNode } from '../../../src/config/json-schema.ts';
import { type OptionInfo } from '../../../src/config/options.ts';
import { optionGroups } from '../../../src/config/option-table.ts';
import { optionInfos } from '../../../src/config/options.ts';
import { expectSection, table } from '../../helpers/doc-section.ts';
import { loadFile } from '../config/scene.ts';

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

const config = readFileSync(path.join(import.meta.dirname, '../../../docs/config.md'), 'utf8');

/** Rows of the keys of a section, those of sections in it included. */
function keyRows(node: SchemaNode, place = ''): string[][] {
  return Object.entries(node.properties ?? {}).flatMap(([key, part]) => {
    if (part.additionalProperties !== undefined && part.properties === undefined) return [];
    return part.properties ? keyRows(part, `${place}${key}.`) : [keyRow(`${place}${key}`, part, node)];
  });
}

function keyRow(key: string, part: SchemaNode, { required = [] }: SchemaNode): string[] {
  const { title = '', items, default: fallback, description = '' } = part;
  const form = items ? `list of ${items.title}` : title;
  const missing = required.includes(key) ? 'required' : '';
  return [`\`${key}\``, `\`${form}\``, fallback === undefined ? missing : `\`${fallback}\``, description];
}

describe('docs/config.md', () => {
  const { properties = {} } = jsonSchema;
  const { services } = properties;
  const protocols = (services?.additionalProperties || undefined)?.oneOf ?? [];
  const nodes = { process: jsonSchema, tftp: protocols[0], ftp: protocols[1] };

  it.each(['process', 'tftp', 'ftp'] as const)('has the keys of the section %s as they are', (name) => {
    const rows = keyRows(nodes[name] ?? {});
    expect(rows.length).toBeGreaterThan(5);
    expectSection('config.md', name, table(['key', 'value', 'default', 'meaning'], rows));
  });

  it('shows a file that is valid', () => {
    const [, text = ''] = /```yaml\n(.*?)```/s.exec(config) ?? [];
    expect(loadFile(text)).toMatchObject({ kind: 'config' });
  });

  it('explains every finding', () => {
    const explained = [...config.matchAll(/^\| `([a-z-]+)` +\| /gm)].map(([, kind]) => kind);
    expect(explained).toEqual(expect.arrayContaining([...findingKinds]));
  });
});
