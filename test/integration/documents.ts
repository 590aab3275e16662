/** What the documentation tells its readers to type. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

export const root: string = path.join(import.meta.dirname, '../..');

/** What users and contributors read, as paths in the repository. */
export const documents: readonly string[] = [
  ...readdirSync(root).filter((file) => file.endsWith('.md')),
  ...readdirSync(path.join(root, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.md'))
    .map((file) => path.join('docs', file)),
];

export function textOf(file: string): string {
  return readFileSync(path.join(root, file), 'utf8');
}

/** The lines of the shell blocks of a document, those that are continued joined. */
export function commandsOf(file: string): string[] {
  const blocks = [...textOf(file).matchAll(/```sh\n(.*?)```/gs)].map(([, block = '']) => block);
  const lines = blocks.flatMap((block) => block.replaceAll(/\\\n\s*/g, '').split('\n'));
  return lines.filter((line) => line.trim() !== '');
}

/** The commands under `Examples:` in a help text. */
export function examplesOf(help: string): string[] {
  const [, examples = ''] = help.split('\nExamples:\n');
  return [...examples.matchAll(/^ {2}(\S.*)$/gm)].map(([, line = '']) => line);
}

/** Whether a command line starts the balancer, which then runs until it is told to stop. */
export function isServing(line: string): boolean {
  return /^tftp-lb( serve)? --(?!help|version)/.test(line);
}
