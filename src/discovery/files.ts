/** What discovery asks of the file system. */
export interface Files {
  /** A text that is another one whenever the file has changed or is another file. Rejects with FileError. */
  version(path: string): Promise<string>;
  /** What is in a file of at most `limit` bytes, which are UTF-8. Rejects with FileError. */
  read(path: string, limit: number): Promise<string>;
  /**
   * Calls back when the file may have changed, as far as the system tells: there is no such news of some file systems,
   * or where a part of the path is replaced. Returns what ends it.
   */
  watch(path: string, onChange: () => void): () => void;
}

/** A file cannot be read, or is not what it should be. */
export class FileError extends Error {
  override readonly name = 'FileError';
  readonly code = 'TLB_ERR_FILE';
}
