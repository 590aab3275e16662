/**
 * Parts of the docs that follow from the code. They stand between two comments:
 *
 *   <!-- NAME: made by `npm run docs` --> ... <!-- end of NAME -->
 *
 * A test compares them with what the code says; with UPDATE_DOCS in the environment it writes that instead.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'vitest';

const docs = path.join(import.meta.dirname, '../../docs');

/** Fails unless the section `name` of `file` in docs/ is `text`. */
export function expectSection(file: string, name: string, text: string): void {
  const place = path.join(docs, file);
  const whole = readFileSync(place, 'utf8');
  const [begin, end] = [`<!-- ${name}: made by \`npm run docs\` -->\n`, `<!-- end of ${name} -->`];
  const [from, to] = [whole.indexOf(begin) + begin.length, whole.indexOf(end)];
  if (from < begin.length || to < from) throw new Error(`${file} has no section ${name}`);
  if ((process.env['UPDATE_DOCS'] ?? '') === '') {
    expect(whole.slice(from, to), `docs/${file} is out of date: npm run docs`).toBe(`\n${text}\n`);
  } else {
    writeFileSync(place, `${whole.slice(0, from)}\n${text}\n${whole.slice(to)}`);
  }
}

/** A table in Markdown, in the form that the formatter gives it. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const cells = [head, ...rows].map((row) => row.map((cell) => cell.replaceAll('|', String.raw`\|`)));
  const widths = head.map((_, column) => Math.max(3, ...cells.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]): string =>
    `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |\n`;
  const [first = [], ...others] = cells;
  return [line(first), line(widths.map((width) => '-'.repeat(width))), ...others.map(line)].join('');
}
