import type { TLSSocket } from 'node:tls';
import type { TlsFacts } from './tls.ts';

/** Of a handshake that is done. */
export function tlsFacts(tls: TLSSocket): TlsFacts {
  return {
    version: tls.getProtocol() ?? '',
    isResumed: tls.isSessionReused(),
    subject: subjectOf(tls),
  };
}

/** Node has the parts in a line each, the most general first, and has them escaped already. */
function subjectOf(tls: TLSSocket): string | undefined {
  const parts = tls.getPeerX509Certificate()?.subject?.split('\n');
  return parts && Buffer.from(parts.toReversed().join(','), 'utf8').toString('latin1');
}
