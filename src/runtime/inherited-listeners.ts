/** Listening sockets that another process had before, and has handed to this one. */
import type { ListenerSpec, Service } from '../engine/snapshot.ts';
import type { Libc } from '../linux/libc.ts';
import type { LentSocket } from '../linux/net/linux-net.ts';
import { close } from '../linux/sockets.ts';
import { type Endpoint, formatEndpoint } from '../net/net.ts';
import type { SocketLender } from './node-threads.ts';

/** All sockets of one address, in the order of their group where that is known. */
export interface InheritedGroup extends Endpoint {
  readonly kind: Service['kind'];
  readonly sockets: readonly number[];
}

export class InheritedListeners {
  readonly #groups: Map<string, InheritedGroup>;

  constructor(groups: readonly InheritedGroup[]) {
    this.#groups = new Map(groups.map((group) => [keyOf(group.kind, group), group]));
  }

  /** The sockets of a listener, once; whoever asks closes them. */
  take(kind: Service['kind'], at: Endpoint): readonly number[] | undefined {
    const key = keyOf(kind, at);
    const group = this.#groups.get(key);
    this.#groups.delete(key);
    return group?.sockets;
  }

  /** Those that nobody has taken, for an operator. */
  get untaken(): string[] {
    return [...this.#groups.keys()];
  }
}

/**
 * FTP listeners that were inherited. Workers open theirs themselves, but those are in their groups already, and have
 * connections waiting: they stay here, whatever becomes of a worker.
 */
export class InheritedFtp implements SocketLender {
  readonly #libc: Libc;
  readonly #inherited: InheritedListeners;
  /** The index of the first worker that serves FTP, and how many do. */
  readonly #workers: { readonly first: number; readonly count: number };
  readonly #lent = new Map<string, readonly LentSocket[]>();

  constructor(libc: Libc, inherited: InheritedListeners, workers: { first: number; count: number }) {
    this.#libc = libc;
    this.#inherited = inherited;
    this.#workers = workers;
  }

  claim(kind: Service['kind'], { address, port }: ListenerSpec): ListenerSpec | undefined {
    const sockets = kind === 'ftp' ? this.#inherited.take(kind, { address, port }) : undefined;
    if (!sockets) return undefined;
    this.#lent.set(
      formatEndpoint(address, port),
      sockets.map((fd) => ({ address, port, fd })),
    );
    return { address, port, isShared: this.#workers.count > 1 };
  }

  release(kind: Service['kind'], at: ListenerSpec): void {
    const key = formatEndpoint(at.address, at.port);
    if (kind !== 'ftp') return;
    for (const { fd } of this.#lent.get(key) ?? []) close(this.#libc, fd);
    this.#lent.delete(key);
  }

  lentTo(worker: number): LentSocket[] {
    return [...this.#lent.values()].flatMap((sockets) => sockets[worker - this.#workers.first] ?? []);
  }

  close(): void {
    for (const sockets of this.#lent.values()) {
      for (const { fd } of sockets) close(this.#libc, fd);
    }
    this.#lent.clear();
  }
}

/** Several lenders as one: the first that has a listener lends it. */
export function asOneLender(lenders: readonly SocketLender[]): SocketLender {
  return {
    claim: (kind, listener) => {
      for (const lender of lenders) {
        const claimed = lender.claim(kind, listener);
        if (claimed) return claimed;
      }
      return undefined;
    },
    release: (kind, listener) => {
      for (const lender of lenders) lender.release(kind, listener);
    },
    lentTo: (worker) => lenders.flatMap((lender) => lender.lentTo(worker)),
    close: () => {
      for (const lender of lenders) lender.close();
    },
  };
}

function keyOf(kind: Service['kind'], { address, port }: Endpoint): string {
  return `${kind} ${formatEndpoint(address, port)}`;
}
