import { randomBytes } from 'node:crypto';
import type { SecureContext } from 'node:tls';

/** Bytes of the name of a key, of each key, and of an initialization vector. */
const partLength = 16;

/** What OpenSSL is told of a ticket: 0 not to take it, 1 to take it, 2 to take it and to give a new one. */
type Verdict = 0 | 1 | 2;

/** What Node keeps to itself of a context. */
interface TicketContext {
  enableTicketKeyCallback?(): void;
  onticketkeycallback?(
    name: Buffer,
    iv: Buffer,
    isNew: boolean,
  ): [Verdict, hmac: Buffer, aes: Buffer, name?: Buffer, iv?: Buffer];
}

/**
 * Has a context give a new ticket for each that is used, which Node does not by itself: those of TLS 1.3 are for one
 * connection each (RFC 8446 appendix C.4), and curl keeps to that. `keys` are those that Node knows as `ticketKeys`.
 */
export function renewTickets(context: SecureContext, keys: Buffer): void {
  const { context: inner }: { readonly context: TicketContext } = context;
  if (inner.enableTicketKeyCallback === undefined) return;
  const part = (index: number): Buffer => keys.subarray(index * partLength, (index + 1) * partLength);
  const [name, hmac, aes] = [part(0), part(1), part(2)];
  inner.onticketkeycallback = (named, _iv, isNew) => {
    if (isNew) return [1, hmac, aes, name, randomBytes(partLength)];
    return [named.equals(name) ? 2 : 0, hmac, aes];
  };
  inner.enableTicketKeyCallback();
}
