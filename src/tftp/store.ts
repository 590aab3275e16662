import type { ByteSink } from './sink.ts';
import type { FileSource } from './source.ts';

/**
 * Where an embedded server has its files. Names are as they came on the wire, one character a byte. What cannot be
 * done is thrown as StoreError, whose answer is the ERROR code for the client: 1 no such file, 2 not allowed,
 * 3 no space, 6 there already.
 */
export interface Store {
  openRead(file: string): StoredFile;
  /** `size` is what the client says the file will have, undefined where it does not say. */
  openWrite(file: string, size: number | undefined): Upload;
}

export interface StoredFile extends FileSource {
  /** Called once, after the last read. */
  close(): void;
}

/** A file on its way in. Nobody sees it under its name before `end`. */
export interface Upload extends ByteSink {
  /** Called instead of `end` if the transfer fails, and after an `end` that threw. */
  discard(): void;
}
