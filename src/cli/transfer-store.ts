import { constants, lstatSync, realpathSync } from 'node:fs';

import { StoreError } from '../tftp/errors.ts';
import { ErrorCode } from '../tftp/packet.ts';
import type { Store, StoredFile, Upload } from '../tftp/store.ts';
import { onFiles } from './transfer-file-error.ts';
import { type BytePath, IncomingFile, openForReading } from './transfer-files.ts';

export interface FolderStoreOptions {
  /** Whether an upload may replace a file. */
  readonly overwrite?: boolean;
}

const slash = Buffer.from('/');

/**
 * The files of one folder and of those below it. Names that are absolute, climb with `..`, or lead out of the folder
 * over a symbolic link are refused with ERROR 2.
 */
export class FolderStore implements Store {
  readonly #root: BytePath;
  /** What every path in the folder begins with. */
  readonly #prefix: BytePath;
  readonly #overwrite: boolean;

  /** Throws the system's error if `root` is not there. */
  constructor(root: string, options: FolderStoreOptions = {}) {
    this.#root = realpathSync.native(root, 'buffer');
    this.#prefix = this.#root.equals(slash) ? slash : Buffer.concat([this.#root, slash]);
    this.#overwrite = options.overwrite ?? false;
  }

  openRead(file: string): StoredFile {
    const path = this.#inside(this.#pathOf(file));
    // Without O_NONBLOCK, a pipe that nobody writes to would stop the whole server.
    return openForReading(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  }

  openWrite(file: string): Upload {
    const path = this.#pathOf(file);
    const cut = path.lastIndexOf('/');
    const target = Buffer.concat([this.#inside(path.subarray(0, cut + 1)), path.subarray(cut)]);
    const taken = onFiles(() => lstatSync(target, { throwIfNoEntry: false }));
    if (taken !== undefined && !this.#overwrite)
      throw new StoreError(ErrorCode.fileExists, 'the file exists');
    if (taken?.isDirectory() === true) throw new StoreError(ErrorCode.accessViolation, 'not a file');
    return new IncomingFile(target, { replace: this.#overwrite });
  }

  #pathOf(file: string): BytePath {
    const isForbidden = file.startsWith('/') || file.endsWith('/') || file.split('/').includes('..');
    if (isForbidden) throw new StoreError(ErrorCode.accessViolation, 'forbidden name');
    return Buffer.concat([this.#prefix, Buffer.from(file, 'latin1')]);
  }

  /** The path without symbolic links, if it is that of the folder or of something in it. */
  #inside(path: BytePath): BytePath {
    // The other realpath takes every path for UTF-8.
    const real = onFiles(() => realpathSync.native(path, 'buffer'));
    const isInside = real.equals(this.#root) || real.subarray(0, this.#prefix.length).equals(this.#prefix);
    if (isInside) return real;
    throw new StoreError(ErrorCode.accessViolation, 'not allowed');
  }
}
