import { constants, createReadStream, statSync } from 'node:fs';

import type { ByteSource } from '../tftp/source.ts';
import type { CliContext } from './context.ts';
import { openForReading } from './transfer-files.ts';
import { localFailure } from './transfer-run.ts';
import { streamSource } from './transfer-streams.ts';

/** What is to be uploaded. */
export interface Outgoing {
  readonly source: ByteSource;
  /** Bytes; undefined where they cannot be counted beforehand. */
  readonly size: number | undefined;
  close(): void;
}

/** A file, a pipe, a device, or standard input for `-`. Throws CliError. */
export function openOutgoing(file: string, context: CliContext): Outgoing {
  if (file === '-') return fromStream(context.stdin);
  try {
    const path = Buffer.from(file);
    const stats = statSync(path);
    // Reading fails for a folder, which a stream would tell only once the server has made the file.
    if (!stats.isFile() && !stats.isDirectory()) return fromStream(createReadStream(path));
    const source = openForReading(path, constants.O_RDONLY);
    return { source, size: source.size, close: () => source.close() };
  } catch (error) {
    throw localFailure(error);
  }
}

function fromStream(stream: NodeJS.ReadableStream): Outgoing {
  const source = streamSource(stream);
  return { source, size: undefined, close: () => source.close() };
}
