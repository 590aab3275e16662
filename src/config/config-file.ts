import { readUpTo } from './bounded-file.ts';
import { ConfigError } from './fault.ts';

/** Bytes: thousands of backends are fewer, and what takes longest to understand takes a second. */
const maxSize = 262_144;

/** The text of a configuration file. Throws ConfigError. */
export function readConfigFile(path: string): string {
  const fail = (problem: string, cause?: unknown): never => {
    throw new ConfigError([{ source: path, value: undefined, problem }], { cause });
  };
  try {
    const bytes = readUpTo(path, maxSize + 1);
    if (bytes.length > maxSize) return fail(`is larger than ${maxSize} bytes`);
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    if (error instanceof TypeError) return fail('is not text in UTF-8', error);
    return fail(`cannot be read: ${error instanceof Error ? error.message : String(error)}`, error);
  }
}
