import type { Endpoint } from '../net/net.ts';
import type { ListenerDown, ListenerUp } from '../observe/events.ts';
import type { Listening } from './data-plane.ts';

interface Entry extends Listening {
  readonly listener: string;
  /** Who listens there, by index; nobody where it was told that it cannot be had. */
  readonly workers: Set<number>;
}

/**
 * Where the workers listen. Several may have one address: it is up while any of them has it, and what each tells of its
 * own is told to others only where that changes.
 */
export class ListenerTally {
  readonly #entries = new Map<string, Entry>();

  /** Where clients arrive now. */
  listening(): Listening[] {
    return [...this.#entries.values()]
      .filter(({ workers }) => workers.size > 0)
      .map(({ service, endpoint }) => ({ service, endpoint }));
  }

  /** Whether any worker has the listener of a service open, or one of those that an unspecified address stands for. */
  isUp(service: string, { address, port }: Endpoint): boolean {
    const isAny = address === '0.0.0.0' || address === '::';
    return this.listening().some(
      (up) =>
        up.service === service && up.endpoint.port === port && (isAny || up.endpoint.address === address),
    );
  }

  /** Returns where it is, and how many workers have it now: with the first one it is news. */
  up(
    worker: number,
    { service, listener }: ListenerUp,
  ): { readonly endpoint: Endpoint; readonly size: number } {
    const { endpoint, workers } = this.#entries.get(keyOf(service, listener)) ?? this.#add(service, listener);
    workers.add(worker);
    return { endpoint, size: workers.size };
  }

  /** Returns whether it is news; a listener that never came up goes down as well. */
  down(worker: number, { service, listener }: ListenerDown): boolean {
    const key = keyOf(service, listener);
    const entry = this.#entries.get(key);
    if (!entry) {
      this.#add(service, listener);
      return true;
    }
    if (!entry.workers.delete(worker) || entry.workers.size > 0) return false;
    return this.#entries.delete(key);
  }

  /** The worker is gone. Returns what is down with it. */
  lose(worker: number, error: string): ListenerDown[] {
    const own = [...this.#entries.values()].filter(({ workers }) => workers.has(worker));
    const events = own.map(({ service, listener }): ListenerDown => {
      return { kind: 'listener.down', service, listener, error };
    });
    return events.filter((event) => this.down(worker, event));
  }

  #add(service: string, listener: string): Entry {
    const entry: Entry = { service, listener, endpoint: endpointOf(listener), workers: new Set() };
    this.#entries.set(keyOf(service, listener), entry);
    return entry;
  }
}

function keyOf(service: string, listener: string): string {
  return `${service} ${listener}`;
}

/** `text` as formatEndpoint makes it. */
function endpointOf(text: string): Endpoint {
  const cut = text.lastIndexOf(':');
  return { address: text.slice(0, cut).replace(/^\[(.*)\]$/, '$1'), port: Number(text.slice(cut + 1)) };
}
