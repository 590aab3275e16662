import { joined } from './bytes.ts';
import { StoreError } from './errors.ts';
import { ErrorCode } from './packet.ts';
import type { Store, StoredFile, Upload } from './store.ts';

export interface MemoryStoreOptions {
  /** Bytes that an upload may have. */
  readonly maxFileSize?: number;
  /** Whether an upload may replace a file. */
  readonly overwrite?: boolean;
}

/** Files in memory, for tests, benches and demonstrations. Read and change `files` at will. */
export class MemoryStore implements Store {
  readonly files: Map<string, Uint8Array>;
  readonly #maxFileSize: number;
  readonly #overwrite: boolean;

  constructor(files: Readonly<Record<string, Uint8Array>> = {}, options: MemoryStoreOptions = {}) {
    this.files = new Map(Object.entries(files));
    this.#maxFileSize = options.maxFileSize ?? Infinity;
    this.#overwrite = options.overwrite ?? false;
  }

  openRead(file: string): StoredFile {
    const content = this.files.get(file);
    if (content === undefined) throw new StoreError(ErrorCode.fileNotFound, 'no such file');
    return {
      kind: 'file',
      size: content.length,
      read: (offset, into) => {
        const part = content.subarray(offset, offset + into.length);
        into.set(part);
        return part.length;
      },
      close: () => {},
    };
  }

  openWrite(file: string, size: number | undefined): Upload {
    this.#checkIsFree(file);
    this.#checkFits(size ?? 0);
    const parts: Uint8Array[] = [];
    let length = 0;
    return {
      write: (bytes) => {
        length += bytes.length;
        this.#checkFits(length);
        parts.push(bytes.slice());
        return true;
      },
      end: () => {
        this.#checkIsFree(file);
        this.files.set(file, joined(parts));
      },
      discard: () => {},
    };
  }

  #checkIsFree(file: string): void {
    if (!this.#overwrite && this.files.has(file))
      throw new StoreError(ErrorCode.fileExists, 'the file exists');
  }

  #checkFits(length: number): void {
    if (length > this.#maxFileSize) throw new StoreError(ErrorCode.diskFull, 'the file is too large');
  }
}
