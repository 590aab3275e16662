import { watch } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import path from 'node:path';
import { buffer } from 'node:stream/consumers';
import { FileError, type Files } from './files.ts';

/** The file system of this host. */
export const nodeFiles: Files = {
  version: (file) => attempt(file, () => versionOf(file)),
  read: (file, limit) => attempt(file, () => readText(file, limit)),
  watch: watchFolder,
};

/** A pipe or a device would keep its reader waiting. */
async function versionOf(file: string): Promise<string> {
  const found = await stat(file, { bigint: true });
  if (!found.isFile()) throw new FileError(`${file} is no file`);
  const { dev, ino, size, mtimeNs, ctimeNs } = found;
  return [dev, ino, size, mtimeNs, ctimeNs].join(' ');
}

async function readText(file: string, limit: number): Promise<string> {
  await using handle = await open(file);
  // One byte more than may be there shows that there are too many.
  const bytes = await buffer(handle.createReadStream({ end: limit, autoClose: false }));
  if (bytes.length > limit) throw new FileError(`${file} has more than ${limit} bytes`);
  return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
}

async function attempt<T>(file: string, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (cause) {
    if (cause instanceof FileError) throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new FileError(`cannot read ${file}: ${reason}`, { cause });
  }
}

/**
 * Watches the folder rather than the file, since a file that is replaced takes its watch along. In a Kubernetes volume
 * a link in that folder is replaced.
 */
function watchFolder(file: string, onChange: () => void): () => void {
  try {
    const watcher = watch(path.dirname(file), { persistent: false }, onChange);
    watcher.on('error', () => watcher.close());
    return () => watcher.close();
  } catch {
    return () => undefined;
  }
}
