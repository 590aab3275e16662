import { parseBackendList } from './backend-list.ts';
import type { BackendSpec } from './backend-spec.ts';
import type { Files } from './files.ts';

/** Bytes; a thousand backends have half of it. */
const maxSize = 131_072;

export interface ListFileOptions {
  readonly path: string;
  /** Of entries without one. */
  readonly port: number;
}

/**
 * `unchanged`: the list in force is the one that the file has. `unsettled`: it has changed since the last look, and may
 * be about to change again.
 */
export type ListLook = readonly BackendSpec[] | 'unchanged' | 'unsettled';

/** A file with a list of backends, and what is known of it. */
export class ListFile {
  readonly #files: Files;
  readonly #options: ListFileOptions;
  /** The version that is in force. */
  #accepted: string | undefined;
  /** The version that was seen last. */
  #seen: string | undefined;

  constructor(files: Files, options: ListFileOptions) {
    this.#files = files;
    this.#options = options;
  }

  /**
   * The list, once two looks in a row have seen the same version: who writes into the file in place gets the time
   * between them to finish. The first list is not waited for. Rejects with FileError or BackendListError.
   */
  async look(): Promise<ListLook> {
    const { path, port } = this.#options;
    const version = await this.#files.version(path);
    if (version === this.#accepted) return 'unchanged';
    const isSettled = this.#accepted === undefined || version === this.#seen;
    this.#seen = version;
    if (!isSettled) return 'unsettled';
    return parseBackendList(await this.#files.read(path, maxSize), { source: path, port });
  }

  /** The list that was seen last is in force: until the file changes, it need not be read again. */
  accept(): void {
    this.#accepted = this.#seen;
  }
}
