/** The bench: measures, prints a table, and writes all that it found as JSON. */
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';

import { describeMachine } from './report/machine.ts';
import { helpText, readSettings, type Settings, UsageError } from './settings.ts';
import { endAll } from './run/child.ts';
import { suites } from './suites/registry.ts';

const resultsFolder = path.join(import.meta.dirname, 'results');

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
  const { text, data } = await suite.run(settings, (line) => process.stderr.write(`${line}\n`));
  const { cpu, cores, kernel, node } = machine;
  process.stdout.write(`${cores} cores (${cpu}), Linux ${kernel}, Node ${node}\n${text}\n`);
  const file =
    settings.output ?? path.join(resultsFolder, `${settings.suite}-${startedAt.replaceAll(':', '')}.json`);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(
    file,
    `${JSON.stringify({ suite: settings.suite, startedAt, machine, settings, ...data }, null, 2)}\n`,
  );
  process.stdout.write(`All rounds: ${path.relative('.', file)}\n`);
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
