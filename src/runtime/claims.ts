/**
 * The addresses of listeners, before the workers bind them. Sockets that share an address take in whoever asks, also
 * another instance of this program: so each is first bound exclusively for a moment, and an instance that is one too
 * many is told that it is in use. A port that the system may choose is chosen here, once for all workers and all their
 * lives.
 *
 * A listener is known by its protocol and its address as wanted: it stays what it is while any service wants it, and
 * after that for as long as a worker has sessions that need it.
 */
import { type ExpandedListener, expandListeners } from '../engine/listeners.ts';
import type { ListenerSpec, Service } from '../engine/snapshot.ts';
import { type Endpoint, formatEndpoint, type Net, NetError } from '../net/net.ts';
import type { SocketLender } from './node-threads.ts';

type Target = ListenerSpec & Partial<ExpandedListener>;
type Kind = Service['kind'];

/** Takes back what was claimed in vain. */
type Undo = () => void;

/** Whether a worker has the listener of a service open. */
type IsHeld = (service: string, spec: ListenerSpec) => boolean;

interface ClaimOptions {
  /** Several workers are to bind it. */
  readonly isShared: boolean;
  /** Whether to find out if it can be had, where whoever binds it would be too late to tell. */
  readonly isTested: boolean;
}

interface ClaimsParts {
  readonly net: Net;
  readonly lender: SocketLender | undefined;
  /** Whether several workers listen for the protocol. */
  readonly isShared: (kind: Kind) => boolean;
}

export class Claims {
  readonly #parts: ClaimsParts;
  readonly #claimed = new Map<string, ListenerSpec>();
  /** By key: those of the claimed ones that no service wants any longer. */
  readonly #leaving = new Map<string, Wanted>();

  constructor(parts: ClaimsParts) {
    this.#parts = parts;
  }

  /** Claims those listeners of the services that are not claimed yet. Rejects with NetError; none is claimed then. */
  async claim(services: readonly Service[], isTested: boolean): Promise<Undo> {
    const added: Wanted[] = [];
    const kept: Wanted[] = [];
    const undo = (): void => {
      for (const wanted of added) this.#release(wanted);
      for (const wanted of kept) this.#leaving.set(wanted.key, wanted);
    };
    try {
      for (const wanted of wantedBy(services)) {
        const leaving = this.#leaving.get(wanted.key);
        if (leaving) kept.push(leaving);
        this.#leaving.delete(wanted.key);
        if (this.#claimed.has(wanted.key)) continue;
        this.#claimed.set(wanted.key, await this.#claim(wanted, isTested));
        added.push(wanted);
      }
    } catch (error) {
      undo();
      throw error;
    }
    return undo;
  }

  /** The listeners of services `before` that no service has `now` may be given back. */
  leave(before: readonly Service[], now: readonly Service[]): void {
    const wantedNow = new Set(wantedBy(now).map(({ key }) => key));
    for (const wanted of wantedBy(before)) {
      if (!wantedNow.has(wanted.key)) this.#leaving.set(wanted.key, wanted);
    }
  }

  /** Gives back what may be and is not held. */
  sweep(isHeld: IsHeld): void {
    for (const wanted of this.#leaving.values()) {
      const spec = this.#claimed.get(wanted.key);
      if (!spec || !isHeld(wanted.service, spec)) this.#release(wanted);
    }
  }

  /** Where the service is to listen. */
  of(service: Service): readonly ListenerSpec[] {
    return wantedBy([service]).map(({ key, spec }) => this.#claimed.get(key) ?? spec);
  }

  async #claim({ kind, spec }: Wanted, isTested: boolean): Promise<ListenerSpec> {
    const { net, lender, isShared } = this.#parts;
    const lent = lender?.claim(kind, spec);
    return lent ?? claimListener(net, kind, spec, { isShared: isShared(kind), isTested });
  }

  #release({ key, kind }: Wanted): void {
    this.#leaving.delete(key);
    const spec = this.#claimed.get(key);
    if (!spec) return;
    this.#claimed.delete(key);
    this.#parts.lender?.release(kind, spec);
  }
}

interface Wanted {
  readonly key: string;
  readonly kind: Kind;
  readonly service: string;
  readonly spec: ListenerSpec;
}

/** Services may take listeners over from each other, but not a port that the system has chosen for one of them. */
function wantedBy(services: readonly Service[]): Wanted[] {
  return services.flatMap(({ kind, name: service, listeners }) =>
    listeners.map((spec) => {
      const place = formatEndpoint(spec.address, spec.port);
      const key = spec.port === 0 ? `${kind} ${place} ${service}` : `${kind} ${place}`;
      return { key, kind, service, spec };
    }),
  );
}

/** Whether listeners that services have `now` and had not `before` can be had. Rejects with NetError if not. */
export async function tryAdded(net: Net, before: readonly Service[], now: readonly Service[]): Promise<void> {
  const known = new Set(wantedBy(before).map(({ key }) => key));
  for (const { key, kind, spec } of wantedBy(now)) {
    if (!known.has(key)) await claimListener(net, kind, spec, { isShared: false, isTested: true });
  }
}

/** Where the listener is to be. Rejects with NetError; nothing stays bound. */
export async function claimListener(
  net: Net,
  kind: Kind,
  { address, port }: ListenerSpec,
  { isShared, isTested }: ClaimOptions,
): Promise<ListenerSpec> {
  const chosen = port === 0 ? await binders[kind](net, { address, port }) : port;
  const claimed = { address, port: chosen, isShared };
  if (isShared || isTested) await tryAll(net, kind, claimed);
  return claimed;
}

async function tryAll(net: Net, kind: Kind, claimed: ListenerSpec): Promise<void> {
  const specs: readonly Target[] =
    kind === 'tftp' ? expandListeners([claimed], net.localAddresses()) : [claimed];
  for (const spec of specs) {
    try {
      await binders[kind](net, spec);
    } catch (error) {
      // One of all local addresses may have gone in this moment.
      const isGone = error instanceof NetError && error.code === 'TLB_ERR_ADDRESS_NOT_LOCAL';
      if (!isGone || spec.isExpanded !== true) throw error;
    }
  }
}

/** Binds exclusively and lets go. Returns the port. */
const binders: Readonly<Record<Kind, (net: Net, at: Endpoint) => number | Promise<number>>> = {
  tftp: (net, { address, port }) => {
    const socket = net.bindUdp({ address, port }, { onDatagram: ignore, onError: ignore });
    socket.close();
    return socket.port;
  },
  ftp: async (net, { address, port }) => {
    const handlers = { onConnection: (socket: { reset(): void }) => socket.reset(), onError: ignore };
    const listener = await net.listenTcp({ address, port }, handlers);
    listener.close();
    return listener.port;
  },
};

function ignore(): void {}
