import { StoreError } from '../tftp/errors.ts';
import { ErrorCode } from '../tftp/packet.ts';

/** What the operating system's error names mean to a TFTP peer. */
const answers: Readonly<Record<string, readonly [code: number, message: string]>> = {
  ENOENT: [ErrorCode.fileNotFound, 'no such file'],
  ENOTDIR: [ErrorCode.fileNotFound, 'no such file'],
  ENAMETOOLONG: [ErrorCode.fileNotFound, 'no such file'],
  EACCES: [ErrorCode.accessViolation, 'not allowed'],
  EPERM: [ErrorCode.accessViolation, 'not allowed'],
  EROFS: [ErrorCode.accessViolation, 'not allowed'],
  EISDIR: [ErrorCode.accessViolation, 'not a file'],
  ELOOP: [ErrorCode.accessViolation, 'not allowed'],
  ENOSPC: [ErrorCode.diskFull, 'no space left'],
  EDQUOT: [ErrorCode.diskFull, 'no space left'],
  EFBIG: [ErrorCode.diskFull, 'the file is too large'],
  EEXIST: [ErrorCode.fileExists, 'the file exists'],
};

/** A failed file operation as the peer may know it; the cause keeps the local path. */
export function toStoreError(error: unknown): StoreError {
  if (error instanceof StoreError) return error;
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const [answer, message] = answers[code] ?? [ErrorCode.notDefined, 'the file cannot be used'];
  return new StoreError(answer, message, { cause: error });
}

/** Runs file operations; whatever they throw becomes a StoreError. */
export function onFiles<T>(operation: () => T): T {
  try {
    return operation();
  } catch (error) {
    throw toStoreError(error);
  }
}
