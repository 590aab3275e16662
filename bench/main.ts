/** The bench: measures, prints a table, and writes all that it found as JSON. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

import { describeMachine } from './report/machine.ts';
import { helpText, readSettings, type Settings, UsageError } from './settings.ts';
import { endAll } from './run/child.ts';
import { suites } from './suites/registry.ts';
import type { Document } from './suites/suite.ts';

const root = path.join(import.meta.dirname, '..');
const resultsFolder = path.join(root, 'bench/results');

/** Processes that were started end with this one (run/child.ts). */
process.once('SIGINT', () => process.exit(130));
process.once('SIGTERM', () => process.exit(143));

async function run(settings: Settings): Promise<void> {
  const suite = suites.get(settings.suite);
  if (suite === undefined) {
    throw new UsageError(`no suite is called "${settings.suite}"; there is ${[...suites.keys()].join(', ')}`);
  }
  if (process.platform !== 'linux') throw new UsageError('the bench needs Linux: it reads /proc');
  const startedAt = new Date().toISOString();
  const machine = describeMachine();
  const {
    text,
    data,
    documents = [],
  } = await suite.run(settings, (line) => process.stderr.write(`${line}\n`));
  const { cpu, cores, kernel, node } = machine;
  if (settings.from === undefined) {
    process.stdout.write(`${cores} cores (${cpu}), Linux ${kernel}, Node ${node}\n`);
  }
  process.stdout.write(`${text}\n`);
  if (settings.hasDocs) for (const document of documents) updateDocument(document);
  if (settings.from !== undefined) return;
  const file =
    settings.output ?? path.join(resultsFolder, `${settings.suite}-${startedAt.replaceAll(':', '')}.json`);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(
    file,
    `${JSON.stringify({ suite: settings.suite, startedAt, machine, settings, ...data }, null, 2)}\n`,
  );
  process.stdout.write(`All rounds: ${path.relative('.', file)}\n`);
}

function updateDocument({ file, update }: Document): void {
  const place = path.join(root, file);
  writeFileSync(place, update(existsSync(place) ? readFileSync(place, 'utf8') : ''));
  process.stdout.write(`Updated: ${file}\n`);
}

try {
  const settings = readSettings(process.argv.slice(2));
  if (settings === undefined) process.stdout.write(helpText);
  else await run(settings);
} catch (error) {
  const message = error instanceof Error ? error.message : String(error);
  process.stderr.write(`bench: ${message}\n`);
  process.exitCode = error instanceof UsageError ? 2 : 1;
} finally {
  await endAll();
}
