/** Files that operators name, of which nobody knows before how large they are: some are pipes or devices. */
import { closeSync, openSync, readSync } from 'node:fs';

/** Bytes of a line that holds a secret. */
const longestLine = 4096;

/** The first `size` bytes, or all that there are. Throws what the system says. */
export function readUpTo(path: string, size: number): Buffer {
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

/** The first line without its end; empty if there is none. Throws what the system says, and where it is too long. */
export function readFirstLine(path: string): string {
  const [line = '', ...more] = readUpTo(path, longestLine + 1)
    .toString('utf8')
    .split(/\r?\n/, 2);
  if (more.length === 0 && Buffer.byteLength(line) > longestLine) {
    throw new RangeError(`the first line of ${path} has more than ${longestLine} bytes`);
  }
  return line;
}
