/**
 * The sessions that a server lets us resume, as its tickets tell (RFC 5077, RFC 8446 section 4.6.1). With TLS 1.3 each
 * is for one connection (RFC 8446 appendix C.4), so the newest that was not used yet comes first; each connection
 * brings new ones. Servers that give none to a resumed connection get the last one again.
 */
const most = 8;

export class TlsTickets {
  #fresh: Uint8Array[] = [];
  #last: Uint8Array | undefined;

  add(ticket: Uint8Array): void {
    this.#fresh = [...this.#fresh, ticket].slice(-most);
  }

  /** Undefined as long as there was none. */
  take(): Uint8Array | undefined {
    this.#last = this.#fresh.pop() ?? this.#last;
    return this.#last;
  }
}
