import { closeSync, openSync, readSync } from 'node:fs';

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

/** The first `size` bytes, or all that there are: of a pipe or a device nobody knows before how many. */
function readUpTo(path: string, size: number): Buffer {
  const file = openSync(path, 'r');
  try {
    const bytes = Buffer.alloc(size);
    let length = 0;
    for (let read = 1; read > 0 && length < size; length += read) {
      read = readSync(file, bytes, length, size - length, null);
    }
    return bytes.subarray(0, length);
  } finally {
    closeSync(file);
  }
}
