import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { jsonSchema, type SchemaNode } from '../../../src/config/json-schema.ts';
import { loadConfig } from '../../../src/config/load.ts';
import { printConfig } from '../../../src/config/print.ts';
import { command } from '../cli/scene.ts';
import { pxe } from './scene.ts';

const examples = path.join(import.meta.dirname, '../../../examples');
const files = readdirSync(examples).filter((file) => file.endsWith('.yaml'));

/** What an editor does with the schema. */
const editor = z.fromJSONSchema(JSON.parse(JSON.stringify(jsonSchema)) as z.core.JSONSchema.JSONSchema);

function isWelcome(text: string): boolean {
  return editor.safeParse(parse(text, { merge: true })).success;
}

/** Every part of the schema that an operator may write, with the way to it. */
function partsOf(node: SchemaNode, place: string): [string, SchemaNode][] {
  const inner = [
    ...Object.entries(node.properties ?? {}).map(([key, part]) => [`${place}.${key}`, part] as const),
    ...(node.oneOf ?? []).map((part) => [place, part] as const),
    ...(node.additionalProperties ? [[`${place}.*`, node.additionalProperties] as const] : []),
  ];
  return inner.flatMap(([at, part]) => [[at, part] as [string, SchemaNode]].concat(partsOf(part, at)));
}

describe('the JSON schema', () => {
  it('says of every value how it looks and what it means', () => {
    const values = partsOf(jsonSchema, '').filter(
      ([, part]) => !part.properties && !part.oneOf && !part.additionalProperties,
    );
    expect(values.length).toBeGreaterThan(60);
    const silent = values.filter(
      ([, { description, title, items }]) => !description || !(title ?? items?.title),
    );
    expect(silent.map(([place]) => place)).toEqual([]);
  });

  it('is what is printed', async () => {
    const { stdout, exitCode } = await command(['schema']);
    expect(exitCode).toBe(0);
    expect(JSON.parse(stdout)).toEqual(JSON.parse(JSON.stringify(jsonSchema)));
    expect(stdout).toContain('https://json-schema.org/draft/2020-12/schema');
  });

  it('welcomes what a printed configuration has', () => {
    const loaded = loadConfig({ vip: ['::1'], backend: ['a'], ftpDeny: 'SITE', maxBlksize: 'auto' }, {});
    expect(loaded.kind === 'config' && isWelcome(printConfig(loaded.document))).toBe(true);
  });

  it.each([
    ['a number in place of a text', `${pxe}    tftp: { try-interval: 2 }\n`],
    ['parts', `${pxe}    limits: { max-sessions: 7 }\nadmin: { listen: false }\n`],
    ['lists', `${pxe.replace('tftp', 'ftp')}    ftp: { deny: [SITE], modes: [active, passive] }\n`],
    ['a backend in parts', pxe.replace('[192.0.2.11]', '[{ host: a, weight: 2 }]')],
  ])('welcomes %s', (_what, text) => {
    expect(isWelcome(text)).toBe(true);
  });

  it.each([
    ['an unknown key', `${pxe}workerz: 3\n`],
    ['an unknown key of a service', `${pxe}    tftp: { single: true }\n`],
    ['an unknown word', `${pxe}    policy: random\n`],
    ['a number that is too large', `${pxe}    limits: { max-sessions: 2000000 }\n`],
    ['a duration that is none', `${pxe}    tftp: { try-interval: soon }\n`],
    ['keys of the other protocol', `${pxe}    ftp: {}\n`],
    ['a service without listeners', pxe.replace(/.*listeners.*\n/, '')],
  ])('marks %s', (_what, text) => {
    expect(isWelcome(text)).toBe(false);
  });

  it.each(files)('welcomes examples/%s', (file) => {
    expect(isWelcome(readFileSync(path.join(examples, file), 'utf8'))).toBe(true);
  });
});
