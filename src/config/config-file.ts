import { readFileSync, statSync } from 'node:fs';

import { ConfigError } from './fault.ts';

/** Bytes: thousands of backends are fewer, and what takes longest to understand takes a second. */
const maxSize = 262_144;

/** The text of a configuration file. Throws ConfigError. */
export function readConfigFile(path: string): string {
  const fail = (problem: string, cause?: unknown): never => {
    throw new ConfigError([{ source: path, value: undefined, problem }], { cause });
  };
  try {
    const { size } = statSync(path);
    if (size > maxSize) return fail(`is larger than ${maxSize} bytes`);
    return new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(path));
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    if (error instanceof TypeError) return fail('is not text in UTF-8', error);
    return fail(`cannot be read: ${error instanceof Error ? error.message : String(error)}`, error);
  }
}
