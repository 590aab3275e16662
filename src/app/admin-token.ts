import { statSync } from 'node:fs';

import { readFirstLine } from '../config/bounded-file.ts';

/** The file with the token of the admin endpoints cannot be read, or has none that is fit for it. */
export class AdminTokenError extends Error {
  override readonly name = 'AdminTokenError';
  readonly code = 'TLB_ERR_ADMIN_TOKEN';
}

export interface AdminToken {
  readonly token: string;
  /** Whether every user of the machine can read it. */
  readonly isPublic: boolean;
}

/** A shorter one can be guessed (characters). */
const shortestToken = 16;

/** What lets changes be made over TCP: the first line of the file. Throws AdminTokenError. */
export function readAdminToken(path: string): AdminToken {
  const { token, mode } = read(path);
  if (token.length < shortestToken || !/^[\x21-\x7e]+$/.test(token)) {
    throw new AdminTokenError(
      `--admin-token-file ${path}: expected ${shortestToken} printable characters or more, without a space, in its first line`,
    );
  }
  return { token, isPublic: (mode & 0o004) !== 0 };
}

function read(path: string): { readonly token: string; readonly mode: number } {
  try {
    return { token: readFirstLine(path), mode: statSync(path).mode };
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new AdminTokenError(`cannot read --admin-token-file: ${reason}`, { cause });
  }
}
