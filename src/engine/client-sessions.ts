import { EndpointTable } from '../net/endpoint-table.ts';
import type { RelayedSession } from './relayed-session.ts';

/**
 * The sessions of one listener by their clients' addresses and ports. Several at a time are rare: the one that there
 * mostly is stands for itself, since a list for each would take as much room as some of what they hold.
 */
export class ClientSessions {
  readonly #table = new EndpointTable<RelayedSession | readonly RelayedSession[]>();

  get isEmpty(): boolean {
    return this.#table.isEmpty;
  }

  /** The oldest of a client. */
  first(port: number, address: string): RelayedSession | undefined {
    const known = this.#table.get(port, address);
    return isList(known) ? known[0] : known;
  }

  /** The latest of a client whose request this may be, sent once more. */
  asking(request: Uint8Array, port: number, address: string): RelayedSession | undefined {
    const known = this.#table.get(port, address);
    if (isList(known)) return known.findLast((session) => session.isSameRequest(request));
    return known?.isSameRequest(request) === true ? known : undefined;
  }

  add(session: RelayedSession): void {
    const { clientPort, clientAddress } = session;
    const known = this.#table.get(clientPort, clientAddress);
    this.#table.set(clientPort, clientAddress, known ? [known, session].flat() : session);
  }

  remove(session: RelayedSession): void {
    const { clientPort, clientAddress } = session;
    const known = this.#table.get(clientPort, clientAddress);
    const others = [known ?? []].flat().filter((other) => other !== session);
    const [only] = others;
    if (only === undefined) this.#table.delete(clientPort, clientAddress);
    else this.#table.set(clientPort, clientAddress, others.length > 1 ? others : only);
  }

  /** The oldest of each client. */
  *[Symbol.iterator](): Generator<RelayedSession> {
    for (const known of this.#table.values()) {
      const session = isList(known) ? known[0] : known;
      if (session) yield session;
    }
  }
}

function isList<T extends object>(known: T | readonly T[] | undefined): known is readonly T[] {
  return Array.isArray(known);
}
