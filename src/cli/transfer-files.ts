/** Local files at the ends of a transfer. Whatever fails is a StoreError, whose cause is the system's error. */
import { randomUUID } from 'node:crypto';
import { closeSync, fstatSync, linkSync, openSync, readSync, renameSync, rmSync, writeSync } from 'node:fs';

import { StoreError } from '../tftp/errors.ts';
import { ErrorCode } from '../tftp/packet.ts';
import type { StoredFile, Upload } from '../tftp/store.ts';
import { onFiles } from './transfer-file-error.ts';

/** Paths are bytes: file names on the wire need not be UTF-8. */
export type BytePath = Buffer;

/** A regular file, open for reading. `flags` as for open(2). */
export function openForReading(path: BytePath, flags: number): StoredFile {
  return onFiles(() => {
    const descriptor = openSync(path, flags);
    const stats = fstatSync(descriptor);
    if (!stats.isFile()) {
      closeSync(descriptor);
      throw new StoreError(ErrorCode.accessViolation, 'not a file');
    }
    return {
      kind: 'file',
      size: stats.size,
      read: (offset, into) => onFiles(() => readFully(descriptor, into, offset)),
      close: () => closeSync(descriptor),
    };
  });
}

export interface IncomingFileOptions {
  /** Whether a file that has the name already is replaced. */
  readonly replace: boolean;
  /** Permissions before the umask. */
  readonly permissions?: number;
}

/**
 * A file on its way in: it grows under a temporary name beside its final one and gets that only when it is complete,
 * in one step, so that nobody ever sees a part of it.
 */
export class IncomingFile implements Upload {
  readonly #path: BytePath;
  readonly #temporary: BytePath;
  readonly #replace: boolean;
  #descriptor: number | undefined;
  #isThere = true;

  constructor(path: BytePath, { replace, permissions = 0o666 }: IncomingFileOptions) {
    this.#path = path;
    this.#temporary = Buffer.concat([folderOf(path), Buffer.from(`.tftp-lb-${randomUUID()}.part`)]);
    this.#replace = replace;
    this.#descriptor = onFiles(() => openSync(this.#temporary, 'wx', permissions));
  }

  write(bytes: Uint8Array): boolean {
    const descriptor = this.#descriptor;
    if (descriptor !== undefined) onFiles(() => writeFully(descriptor, bytes));
    return true;
  }

  end(): void {
    onFiles(() => {
      this.#close();
      if (this.#replace) {
        renameSync(this.#temporary, this.#path);
        this.#isThere = false;
      } else {
        // Unlike a rename, a link fails where the name is taken.
        linkSync(this.#temporary, this.#path);
        this.discard();
      }
    });
  }

  /** Idempotent; without effect on a file that has its final name. */
  discard(): void {
    this.#close();
    if (!this.#isThere) return;
    this.#isThere = false;
    rmSync(this.#temporary, { force: true });
  }

  #close(): void {
    const descriptor = this.#descriptor;
    this.#descriptor = undefined;
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

/** Writes into something that is no regular file (a device, a pipe), where there is nothing to be replaced. */
export function openSpecial(path: BytePath): Upload {
  const descriptor = onFiles(() => openSync(path, 'w'));
  let isOpen = true;
  const close = (): void => {
    if (isOpen) closeSync(descriptor);
    isOpen = false;
  };
  return {
    write: (bytes) => {
      onFiles(() => writeFully(descriptor, bytes));
      return true;
    },
    end: () => onFiles(close),
    discard: close,
  };
}

/** `path` up to and with its last slash. */
function folderOf(path: BytePath): BytePath {
  return path.subarray(0, path.lastIndexOf('/') + 1);
}

function readFully(descriptor: number, into: Uint8Array, offset: number): number {
  let length = 0;
  while (length < into.length) {
    const got = readSync(descriptor, into, length, into.length - length, offset + length);
    if (got === 0) break;
    length += got;
  }
  return length;
}

function writeFully(descriptor: number, bytes: Uint8Array): void {
  for (let length = 0; length < bytes.length;) length += writeSync(descriptor, bytes, length);
}
