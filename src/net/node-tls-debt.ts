import type { TLSSocket } from 'node:tls';

/** Bytes that TLS may owe to a peer that does not read: its answers to new keys and handshakes that were asked for. */
const mostOwed = 262_144;

/** What Node keeps to itself of a TLS socket. */
interface Handled {
  _handle?: { readonly writeQueueSize: number } | null;
}

/** Whether more waits beside what was written here than any peer has reason to ask for. */
export function owesTooMuch(tls: TLSSocket): boolean {
  const { _handle: handle }: Handled = tls as object;
  // What was written becomes longer, but never twice as long.
  return (handle?.writeQueueSize ?? 0) - 2 * tls.writableLength > mostOwed;
}
