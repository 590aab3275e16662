/** Temporary folders, and files with contents that can be told apart. */
import { createHash } from 'node:crypto';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

const folders = new Set<string>();

export function removeFolders(): void {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
  folders.clear();
}

/** A new empty folder that every user may enter and fill, since some servers change their user. */
export function temporaryFolder(name: string): string {
  const folder = mkdtempSync(path.join(tmpdir(), `tftp-lb-${name}-`));
  chmodSync(folder, 0o777);
  folders.add(folder);
  return folder;
}

export function sha256(data: Uint8Array): string {
  return createHash('sha256').update(data).digest('hex');
}

/** `size` bytes that look random, are the same in every run and differ by `seed`. */
export function noise(size: number, seed = 'noise'): Buffer {
  return createHash('shake256', { outputLength: Math.max(size, 1) })
    .update(seed)
    .digest()
    .subarray(0, size);
}

/** Writes a file that every user may read and replace, as some servers demand. */
export function publish(folder: string, name: string, data: Uint8Array): void {
  const file = path.join(folder, name);
  writeFileSync(file, data);
  chmodSync(file, 0o666);
}
