/**
 * Who may change something. Whoever can open the socket may, since the file system guards it; over TCP only who knows
 * the token. No browser may, whoever uses it: a page of a stranger could make it ask in its user's name.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

import { type Answer, text } from './admin-http.ts';

export type Access =
  | { readonly kind: 'socket' }
  | { readonly kind: 'token'; readonly token: string }
  | { readonly kind: 'read-only' };

export type Admission =
  /** `by` is who asks, for the log; one character a byte (latin1), as it came. */
  | { readonly kind: 'admitted'; readonly by: string }
  | { readonly kind: 'turned-away'; readonly answer: Answer };

/** Where a client says who uses it. Nothing depends on it. */
export const userHeader = 'x-tftp-lb-user';
/** Bytes of it that are kept. */
const maxUser = 64;

export function admit(request: IncomingMessage, access: Access): Admission {
  const { headers } = request;
  if (headers.origin !== undefined || headers['sec-fetch-site'] !== undefined) {
    return turnedAway(text(403, 'no browser may change anything here\n'));
  }
  if (access.kind === 'read-only') return turnedAway(text(403, readOnly));
  if (access.kind === 'token' && !isBearerOf(headers.authorization ?? '', access.token)) {
    return turnedAway(text(401, 'the bearer token is wrong, or missing\n', { 'www-authenticate': 'Bearer' }));
  }
  return { kind: 'admitted', by: askedBy(request, access) };
}

const readOnly =
  'this address only shows; changes are made over the socket (--admin-socket), or here with --admin-token-file\n';

function turnedAway(answer: Answer): Admission {
  return { kind: 'turned-away', answer };
}

/** In a time that tells nothing of where the two differ. */
function isBearerOf(authorization: string, token: string): boolean {
  const [, given = ''] = /^Bearer +(.+)$/i.exec(authorization) ?? [];
  return timingSafeEqual(digest(given), digest(token));
}

function digest(secret: string): Buffer {
  return createHash('sha256').update(secret, 'latin1').digest();
}

function askedBy({ headers, socket }: IncomingMessage, access: Access): string {
  const place =
    access.kind === 'socket' ? 'admin socket' : `${socket.remoteAddress ?? ''} port ${socket.remotePort}`;
  const user = headers[userHeader];
  return typeof user === 'string' && user !== '' ? `${user.slice(0, maxUser)}, ${place}` : place;
}
